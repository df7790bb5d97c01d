import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { OidcProvider } from "@countersign/configuration";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProviderUnreachable } from "./discovery.js";
import { renew } from "./oidc-tokens.js";

interface Answer {
  readonly tokenStatus?: number;
  readonly tokenError?: string;
  readonly idToken?: Record<string, unknown>;
  readonly userInfo?: Record<string, unknown>;
}

let server: Server;
let origin: string;
let answer: Answer = {};

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "1", alg: "ES256" };
  const idToken = (claims: Record<string, unknown>) =>
    new SignJWT({ sub: "erin", ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "1" })
      .setIssuer(origin)
      .setAudience("countersign")
      .setIssuedAt()
      .setExpirationTime("1m")
      .sign(privateKey);
  const respond = async (path: string | undefined): Promise<[number, unknown]> => {
    if (path === "/jwks") return [200, { keys: [jwk] }];
    if (path === "/me") return answer.userInfo ? [200, { sub: "erin", ...answer.userInfo }] : [401, {}];
    if (answer.tokenStatus !== undefined) return [answer.tokenStatus, { error: answer.tokenError }];
    const token = answer.idToken && { id_token: await idToken(answer.idToken) };
    return [200, { access_token: "a2", refresh_token: "r2", ...token }];
  };
  server = createServer((request, response) => {
    void respond(request.url).then(([status, body]) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close().closeAllConnections());

const ask = (given: Answer, tokens: { refreshToken?: string; groupsFrom?: "idToken" | "userInfo" }) => {
  answer = given;
  const provider: OidcProvider = {
    id: "company",
    title: "Company",
    type: "oidc",
    issuer: origin,
    clientId: "countersign",
    clientSecret: { env: "X" },
    groupsClaim: "groups",
    scopes: [],
    emailDomains: [],
    groupNames: {},
    mfaContexts: [],
    assertionGrant: false,
  };
  const metadata = {
    issuer: origin,
    authorization_endpoint: `${origin}/auth`,
    token_endpoint: `${origin}/token`,
    userinfo_endpoint: `${origin}/me`,
    jwks_uri: `${origin}/jwks`,
  };
  return renew(provider, metadata, "secret", "erin", { accessToken: "a", ...tokens });
};
const groups = ["payments-engineers"];
const refreshing = { refreshToken: "r", groupsFrom: "idToken" } as const;

describe("a provider that is asked again", () => {
  it("vouches for the groups that it states", async () => {
    expect(await ask({ idToken: { groups } }, refreshing)).toMatchObject({
      status: "vouched",
      claims: { groups },
      tokens: { accessToken: "a2", refreshToken: "r2", groupsFrom: "idToken" },
    });
    expect(await ask({ userInfo: { groups } }, { groupsFrom: "userInfo" })).toMatchObject({
      status: "vouched",
      claims: { groups },
    });
  });

  it("vouches for none where it leaves the claim out in the place that had it before", async () => {
    const fromIdToken = await ask({ idToken: {}, userInfo: {} }, refreshing);
    expect(fromIdToken).toMatchObject({ status: "vouched" });
    expect(fromIdToken).not.toHaveProperty("claims.groups");
    expect(await ask({ userInfo: {} }, { groupsFrom: "userInfo" })).toMatchObject({ status: "vouched" });
  });

  it("says nothing where the place that had them cannot be asked", async () => {
    expect(await ask({ userInfo: {} }, { groupsFrom: "idToken" })).toMatchObject({ status: "silent" });
    expect(await ask({}, { groupsFrom: "userInfo" })).toMatchObject({ status: "silent" });
  });

  it("does not vouch for the person whose login it ended, or about whom it answers for somebody else", async () => {
    expect(await ask({ tokenStatus: 400, tokenError: "invalid_grant" }, refreshing)).toEqual({
      status: "refused",
    });
    expect(await ask({ idToken: { sub: "mallory", groups } }, refreshing)).toEqual({ status: "refused" });
    await expect(ask({ userInfo: { sub: "mallory" } }, { groupsFrom: "userInfo" })).rejects.toMatchObject({
      code: "login_failed",
    });
  });

  it.each([500, 401, 429])("is no witness against the person where it answers %d", async (tokenStatus) => {
    await expect(ask({ tokenStatus, tokenError: "invalid_client" }, refreshing)).rejects.toThrow(
      ProviderUnreachable,
    );
  });
});
