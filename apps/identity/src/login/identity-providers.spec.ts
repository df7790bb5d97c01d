import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type ErrorRequestHandler } from "express";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Seals } from "../seals.js";
import { IdentityProviders } from "./identity-providers.js";
import { LoginStates } from "./login-state.js";

/** What the made-up provider answers with; each test changes what it is about. */
interface Answer {
  key: CryptoKey;
  header: { alg: string; kid?: string };
  claims: Record<string, unknown>;
  userInfo: Record<string, unknown>;
}

let idp: Server;
let own: Server;
let answer: Answer;
let keys: { right: CryptoKey; wrong: CryptoKey };

const listen = async (app: express.Express): Promise<Server> => {
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
};
const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  const [right, wrong] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
  keys = { right: right.privateKey, wrong: wrong.privateKey };
  const jwk = { ...(await exportJWK(right.publicKey)), kid: "1", alg: "ES256" };

  const provider = express();
  idp = await listen(provider);
  provider.get("/.well-known/openid-configuration", (_request, response) => {
    const issuer = originOf(idp);
    response.json({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/me`,
      jwks_uri: `${issuer}/jwks`,
    });
  });
  provider.get("/jwks", (_request, response) => void response.json({ keys: [jwk] }));
  provider.get("/me", (_request, response) => void response.json(answer.userInfo));
  provider.post("/token", (_request, response, next) => {
    new SignJWT(answer.claims)
      .setProtectedHeader(answer.header)
      .sign(answer.key)
      .then((token) => response.json({ access_token: "a", token_type: "Bearer", id_token: token }), next);
  });

  const app = express();
  own = await listen(app);
  process.env["SPEC_IDP_SECRET"] = "secret";
  const seals = new Seals("0123456789abcdef0123456789abcdef");
  const providers = new IdentityProviders(
    [
      {
        id: "company",
        title: "Company",
        type: "oidc",
        issuer: originOf(idp),
        clientId: "countersign",
        clientSecret: { env: "SPEC_IDP_SECRET" },
        groupsClaim: "groups",
        scopes: ["openid", "profile"],
        emailDomains: [],
        groupNames: {},
        mfaContexts: ["aal2"],
        assertionGrant: false,
      },
    ],
    originOf(own),
    new LoginStates(seals, false, () => new Date()),
    samlMemory(),
  );
  app.get("/begin", (request, response, next) => {
    const age = request.query["age"];
    const demand = age === undefined ? {} : { ageSecondsMax: Number(age), mfa: true };
    providers.begin("company", { interaction: "interaction-1", ...demand }, request, response).catch(next);
  });
  app.get("/login/company/callback", (request, response, next) => {
    providers.finish("company", request, response).then((finished) => response.json(finished), next);
  });
  app.use(((error: { code?: string }, _request, response, _next) => {
    response.status(403).json({ code: error.code });
  }) satisfies ErrorRequestHandler);
});
afterAll(() => {
  for (const server of [idp, own]) server.close().closeAllConnections();
});

/** Begins a login; the cookie and the state are what the browser would bring back. */
async function begin(query = "") {
  const response = await fetch(`${originOf(own)}/begin${query}`, { redirect: "manual" });
  const location = new URL(response.headers.get("location") ?? "");
  const cookie = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  return { location, cookie: cookie.join("; "), state: location.searchParams.get("state") ?? "" };
}

const finish = async (state: string, cookie: string, more = "") => {
  const response = await fetch(`${originOf(own)}/login/company/callback?code=c&state=${state}${more}`, {
    headers: { cookie },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** A whole login, with the provider's honest answer changed. */
async function logIn(change: (honest: Answer) => Partial<Answer> = () => ({}), query = "", more = "") {
  const { location, cookie, state } = await begin(query);
  const now = Math.floor(Date.now() / 1_000);
  const honest: Answer = {
    key: keys.right,
    header: { alg: "ES256", kid: "1" },
    claims: {
      iss: originOf(idp),
      aud: "countersign",
      sub: "erin",
      iat: now,
      exp: now + 60,
      nonce: location.searchParams.get("nonce"),
    },
    userInfo: { sub: "erin" },
  };
  answer = { ...honest, ...change(honest) };
  return finish(state, cookie, more);
}
const withClaims = (claims: Record<string, unknown>) => (honest: Answer) => ({
  claims: { ...honest.claims, ...claims },
});

const samlMemory = () => {
  const none = { put: async () => true, find: async () => undefined, take: async () => undefined };
  return { requests: none, assertions: none, answers: none };
};

describe("a login at the company's identity provider", () => {
  it.each([
    ["is signed with another key", () => ({ key: keys.wrong })],
    ["is signed with a key the provider does not publish", () => ({ header: { alg: "ES256", kid: "2" } })],
    ["is for another application", withClaims({ aud: "another" })],
    ["is by another provider", withClaims({ iss: "https://example.com" })],
    ["has expired", withClaims({ exp: 1 })],
    ["answers another question", withClaims({ nonce: "another" })],
    ["answers no question", withClaims({ nonce: undefined })],
    ["names nobody", withClaims({ sub: undefined })],
    ["comes with claims about somebody else", () => ({ userInfo: { sub: "mallory", groups: ["admins"] } })],
  ])("fails where the ID token %s", async (_, change) => {
    expect(await logIn(change)).toEqual({ status: 403, body: { code: "login_failed" } });
  });

  it("fails where the answer says that it comes from another provider", async () => {
    expect((await logIn(undefined, "", "&iss=https://evil.example")).body).toEqual({ code: "login_failed" });
    const honest = encodeURIComponent(originOf(idp));
    expect((await logIn(undefined, "", `&iss=${honest}`)).status).toBe(200);
  });

  it("fails, and says why, where groups were left out because there are too many", async () => {
    const overage = withClaims({ _claim_names: { groups: "src1" } });
    expect((await logIn(overage)).body).toEqual({ code: "groups_incomplete" });
  });

  it("asks for a login that is fresh and strong, and takes no older one", async () => {
    const { location } = await begin("?age=60");
    expect(location.searchParams.get("max_age")).toBe("60");
    expect(location.searchParams.get("acr_values")).toBe("aal2");
    const now = Math.floor(Date.now() / 1_000);
    expect((await logIn(undefined, "?age=60")).status).toBe(403);
    expect((await logIn(withClaims({ auth_time: now - 90 }), "?age=60")).status).toBe(403);
    expect((await logIn(withClaims({ auth_time: now - 30 }), "?age=60")).status).toBe(200);
  });

  it("fails in a browser that did not begin it, and where the cookie was altered", async () => {
    const [mine, theirs] = [await begin(), await begin()];
    const refused = { status: 403, body: { code: "login_unknown" } };
    expect(await finish(mine.state, "")).toEqual(refused);
    expect(await finish(mine.state, theirs.cookie)).toEqual(refused);
    const renamed = theirs.cookie.replace(theirs.state, mine.state);
    expect(await finish(mine.state, renamed)).toEqual(refused);
    expect(await finish(mine.state, mine.cookie.replace("=ey", "=eY"))).toEqual(refused);
    expect(await finish("", mine.cookie)).toEqual(refused);
  });

  it("tells who it is and which interaction it was for", async () => {
    const { status, body } = await logIn(
      withClaims({ name: "Erin", email: "e@example.com", groups: ["payments"], amr: ["mfa"] }),
    );
    expect(status).toBe(200);
    expect(body).toEqual({
      interaction: "interaction-1",
      login: {
        principal: {
          id: "company:erin",
          kind: "human",
          name: "Erin",
          email: "e@example.com",
          groups: ["payments"],
        },
        authentication: { provider: "company", amr: ["mfa"], mfa: true },
      },
      tokens: { accessToken: "a", groupsFrom: "idToken" },
    });
  });

  it("asks the provider for what its ID token leaves out, and believes the ID token first", async () => {
    const { body } = await logIn((honest) => ({
      ...withClaims({ name: "Erin" })(honest),
      userInfo: { sub: "erin", name: "Another", groups: ["payments"] },
    }));
    expect(body).toMatchObject({ login: { principal: { name: "Erin", groups: ["payments"] } } });
  });

  it("gives the person no groups where the provider names none", async () => {
    expect((await logIn()).body).toMatchObject({ login: { principal: { groups: [] } } });
  });
});
