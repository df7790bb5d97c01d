import { randomUUID } from "node:crypto";
import { apiAudience } from "@countersign/contracts";
import { type CryptoKey, decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { gatewayUrl, type Running, startIdentity } from "./testing/identity.fixture.js";
import { oauthAt, resource } from "./testing/oauth.fixture.js";
import { startTokenIssuer, type TokenIssuer } from "./testing/token-issuer.fixture.js";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";

let identity: Running;
let tokenIssuer: TokenIssuer;
let machineKey: CryptoKey;

beforeAll(async () => {
  tokenIssuer = await startTokenIssuer();
  const pair = await generateKeyPair("ES256");
  machineKey = pair.privateKey;
  identity = await startIdentity({
    brokers: inject("kafkaBrokers"),
    adminUrl: inject("adminDatabaseUrl"),
    tokenIssuer: tokenIssuer.issuer,
    machineKeys: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "m", alg: "ES256", use: "sig" }] },
  });
});
afterAll(async () => {
  await identity?.stop();
  tokenIssuer?.stop();
});
afterEach(() => {
  identity.decide = () => ({ granted: { seconds: 1_800 } });
});

const { token, clientId, facts, kafkaRefuses } = oauthAt(() => identity);

const lastRefusal = async () => (await facts("AuthenticationFailed")).at(-1)?.data;

const pipelineClaims = {
  aud: "urn:countersign",
  sub: "repo:acme/payments:ref:refs/heads/main",
  repository: "acme/payments",
  ref: "refs/heads/main",
};

/** How the machine proves that it is itself (RFC 7523 §2.2). */
const clientAssertion = (claims: JWTPayload = {}, key = machineKey) => {
  const now = Math.floor(Date.now() / 1_000);
  const about = { iss: "deploy-bot", sub: "deploy-bot", aud: identity.issuer, jti: randomUUID() };
  return new SignJWT({ ...about, iat: now, exp: now + 60, ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "m" })
    .sign(key);
};
const asMachine = async (form: Record<string, string>, assertion?: string) =>
  token({
    client_id: "deploy-bot",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion ?? (await clientAssertion()),
    ...form,
  });

describe("a workload's own token", () => {
  const bring = async (claims: JWTPayload = {}, changes: Record<string, string> = {}) =>
    token({
      grant_type: jwtBearer,
      client_id: "countersign-workload",
      assertion: await tokenIssuer.sign({ ...pipelineClaims, ...claims }),
      resource,
      ...changes,
    });

  it.each<[string, JWTPayload]>([
    ["for somebody else", { aud: "https://example.com" }],
    ["that has expired", { exp: 1 }],
    ["that is not valid yet", { nbf: Math.floor(Date.now() / 1_000) + 600 }],
    ["of another issuer", { iss: "https://example.com" }],
    ["of another repository", { repository: "evil/payments" }],
    ["of a branch that is not listed", { ref: "refs/pull/1/merge" }],
  ])("is refused where it is one %s, and that is recorded", async (_, claims) => {
    const before = (await facts("AuthenticationFailed")).length;
    expect(await bring(claims)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect((await facts("AuthenticationFailed")).length).toBe(before + 1);
    expect(await lastRefusal()).toMatchObject({
      reason: expect.stringContaining("token: invalid_grant"),
      client: { id: "countersign-workload" },
    });
  });

  it("is refused where it is forged, signed by nobody, or brought by a client that registered itself", async () => {
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${(await tokenIssuer.sign(pipelineClaims)).split(".")[1]}.`;
    for (const assertion of [await tokenIssuer.forge(pipelineClaims), unsigned])
      expect((await bring({}, { assertion })).body["error"]).toBe("invalid_grant");
    expect((await bring({}, { client_id: await clientId() })).status).toBe(400);
  });

  it("is refused for our own API, for an unknown endpoint, and while evidence cannot be written", async () => {
    expect((await bring({}, { resource: apiAudience })).body["error"]).toBe("invalid_target");
    expect((await bring({}, { resource: `${gatewayUrl}/mcp/none` })).body["error"]).toBe("invalid_target");
    const restore = kafkaRefuses();
    expect((await bring()).status).toBe(503);
    restore.mockRestore();
  });

  it.each([
    ["as an assertion", {}],
    ["in exchange", { grant_type: tokenExchange }],
  ])("gives a session to the workload that its claims fit, brought %s", async (_, changes) => {
    const subject = await tokenIssuer.sign(pipelineClaims);
    const exchanged = { subject_token: subject, subject_token_type: "urn:ietf:params:oauth:token-type:jwt" };
    const { status, body } = await bring({}, { ...changes, ...("grant_type" in changes ? exchanged : {}) });
    expect(status).toBe(200);
    expect(body).not.toHaveProperty("refresh_token");
    const asked = identity.requests.at(-1);
    expect(asked).toMatchObject({
      principal: { id: "pipelines:deploy", kind: "workload", groups: ["payments-ci"] },
      client: { id: "countersign-workload" },
    });
    expect(decodeJwt(body["access_token"] ?? "")).toMatchObject({ aud: resource, sid: asked?.sessionId });
  });
});

describe("a machine with a key of its own", () => {
  const form = { grant_type: "client_credentials", resource };

  it("is refused without its key, with another one, with an old proof, and with one for another server", async () => {
    const other = (await generateKeyPair("ES256")).privateKey;
    const refused = [
      await clientAssertion({}, other),
      await clientAssertion({ exp: 1 }),
      await clientAssertion({ aud: "https://example.com" }),
      await clientAssertion({ sub: "countersign-workload" }),
    ];
    for (const assertion of refused)
      expect((await asMachine(form, assertion)).body["error"]).toMatch(/^invalid_(client|request)$/);
    expect((await token({ ...form, client_id: "deploy-bot" })).status).toBeGreaterThanOrEqual(400);
    expect(await lastRefusal()).toMatchObject({ reason: expect.stringContaining("token: invalid_") });
  });

  it("is refused where it proves itself twice with the same words", async () => {
    const assertion = await clientAssertion();
    expect((await asMachine(form, assertion)).status).toBe(200);
    expect((await asMachine(form, assertion)).body["error"]).toBe("invalid_client");
  });

  it("has sessions in its own name", async () => {
    const { status, body } = await asMachine({ ...form, justification: "nightly run" });
    expect(status).toBe(200);
    expect(identity.requests.at(-1)).toMatchObject({
      principal: { id: "client:deploy-bot", kind: "workload", groups: ["payments-ci"] },
      client: { id: "deploy-bot", name: "Deploy bot" },
      justification: "nightly run",
    });
    expect(decodeJwt(body["access_token"] ?? "")).toMatchObject({ client_id: "deploy-bot" });
  });
});

describe("an agent that acts for a person (ID-JAG)", () => {
  const typ = "oauth-id-jag+jwt";
  const claimsOf = (changes: JWTPayload = {}) => ({
    aud: identity.issuer,
    sub: "erin",
    jti: randomUUID(),
    client_id: "deploy-bot",
    resource,
    groups: ["payments-engineers"],
    amr: ["mfa"],
    ...changes,
  });
  const bring = async (assertion: string) => asMachine({ grant_type: jwtBearer, assertion });

  it.each<[string, JWTPayload, string]>([
    ["is for another client", { client_id: "countersign-workload" }, "invalid_grant"],
    ["is for another authorization server", { aud: "https://example.com" }, "invalid_grant"],
    ["names nobody", { sub: undefined }, "invalid_grant"],
    ["has no id", { jti: undefined }, "invalid_grant"],
    ["was made too long ago", { iat: Math.floor(Date.now() / 1_000) - 3_600 }, "invalid_grant"],
    ["has expired", { exp: 1 }, "invalid_grant"],
    ["is for our own API", { resource: apiAudience }, "invalid_target"],
  ])("is refused where the assertion %s", async (_, changes, error) => {
    const { status, body } = await bring(await tokenIssuer.sign(claimsOf(changes), { typ }));
    expect({ status, error: body["error"] }).toEqual({ status: 400, error });
  });

  it("is refused where the assertion is forged, is an ordinary token, or comes from a client without a key", async () => {
    expect((await bring(await tokenIssuer.forge(claimsOf(), { typ }))).body["error"]).toBe("invalid_grant");
    expect((await bring(await tokenIssuer.sign(claimsOf()))).status).toBe(400);
    const assertion = await tokenIssuer.sign(claimsOf({ client_id: "countersign-workload" }), { typ });
    const { body } = await token({ grant_type: jwtBearer, client_id: "countersign-workload", assertion });
    expect(body["error"]).toBe("invalid_grant");
  });

  it("opens a session that is the person's and names the client, once for each assertion", async () => {
    const assertion = await tokenIssuer.sign(claimsOf(), { typ });
    const { status, body } = await bring(assertion);
    expect(status).toBe(200);
    expect(identity.requests.at(-1)).toMatchObject({
      principal: { id: "partner:erin", kind: "human", groups: ["payments-engineers"] },
      authentication: { provider: "partner", amr: ["mfa"], mfa: true },
      client: { id: "deploy-bot" },
      endpoint: "payments",
    });
    expect(decodeJwt(body["access_token"] ?? "")).toMatchObject({
      sub: "partner:erin",
      client_id: "deploy-bot",
    });
    expect((await bring(assertion)).body["error"]).toBe("invalid_grant");
  });
});

describe("a logout that the identity provider tells of", () => {
  const event = "http://schemas.openid.net/event/backchannel-logout";
  const claimsOf = (changes: JWTPayload = {}) => ({
    aud: "countersign",
    sub: "erin",
    jti: randomUUID(),
    events: { [event]: {} },
    ...changes,
  });
  const tell = (logout_token: string, provider = "partner") =>
    fetch(`${identity.issuer}/login/${provider}/backchannel-logout`, {
      method: "POST",
      body: new URLSearchParams({ logout_token }),
    });
  const openSession = async () => {
    const assertion = await tokenIssuer.sign(
      { aud: identity.issuer, sub: "erin", jti: randomUUID(), client_id: "deploy-bot", resource },
      { typ: "oauth-id-jag+jwt" },
    );
    expect((await asMachine({ grant_type: jwtBearer, assertion })).status).toBe(200);
    return identity.requests.at(-1)?.sessionId;
  };

  it.each<[string, JWTPayload]>([
    ["is for another application", { aud: "another" }],
    ["is by another provider", { iss: "https://example.com" }],
    ["names neither a person nor a login", { sub: undefined }],
    ["is about another event", { events: { "http://example.com/event": {} } }],
    ["is an ID token in disguise", { nonce: "n" }],
    ["has no id", { jti: undefined }],
    ["is old", { iat: 1 }],
  ])("is refused where its token %s, and that is recorded", async (_, changes) => {
    await openSession();
    const before = identity.revocations.length;
    expect((await tell(await tokenIssuer.sign(claimsOf(changes)))).status).toBe(400);
    expect(identity.revocations.length).toBe(before);
    expect(await lastRefusal()).toMatchObject({ reason: expect.stringContaining("backchannel-logout") });
  });

  it("is refused where its token is forged or comes to another provider's address", async () => {
    expect((await tell(await tokenIssuer.forge(claimsOf()))).status).toBe(400);
    expect((await tell(await tokenIssuer.sign(claimsOf()), identity.providerId)).status).toBe(400);
    expect((await tell(await tokenIssuer.sign(claimsOf()), "nobody")).status).toBe(400);
  });

  it("ends every session of the person, once for each token", async () => {
    const sessions = [await openSession(), await openSession()];
    const logoutToken = await tokenIssuer.sign(claimsOf(), { typ: "logout+jwt" });
    const answer = await tell(logoutToken);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const ended = identity.revocations.filter(({ cause }) => cause === "logout");
    expect(ended.map(({ sessionId }) => sessionId)).toEqual(expect.arrayContaining(sessions));
    expect((await tell(logoutToken)).status).toBe(400);
  });
});
