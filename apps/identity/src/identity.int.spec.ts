import { apiAudience } from "@countersign/contracts";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { Browser, fieldOf, linkIn, type Visit } from "./testing/browser.fixture.js";
import { oauthAt, redirectUri, resource } from "./testing/oauth.fixture.js";
import { gatewayUrl, type Running, startIdentity, workloadToken } from "./testing/identity.fixture.js";

let identity: Running;
beforeAll(async () => {
  identity = await startIdentity({ brokers: inject("kafkaBrokers"), adminUrl: inject("adminDatabaseUrl") });
});
afterAll(() => identity.stop());
afterEach(() => {
  vi.restoreAllMocks();
  identity.decide = () => ({ granted: { seconds: 1_800 } });
});

const {
  register,
  clientId,
  authorizeUrl,
  begin,
  logIn,
  answerSession,
  token,
  redeem,
  codeFor,
  facts,
  kafkaRefuses,
} = oauthAt(() => identity);

describe("a client that registers itself", () => {
  it.each([
    ["sends codes to another machine in the clear", { redirect_uris: ["http://example.com/callback"] }],
    ["has too many addresses", { redirect_uris: Array.from({ length: 11 }, (_, i) => `${redirectUri}${i}`) }],
    ["has no address", { redirect_uris: [] }],
  ])("is refused where it %s", async (_, metadata) => {
    expect(await register(metadata)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/invalid_(redirect_uri|client_metadata)/) },
    });
  });

  it("is refused while evidence cannot be written", async () => {
    kafkaRefuses();
    expect(await register()).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
  });

  it("becomes a public client without a secret, and that is recorded", async () => {
    const { status, body } = await register();
    expect(status).toBe(201);
    expect(body).toMatchObject({ token_endpoint_auth_method: "none", application_type: "native" });
    expect(body).not.toHaveProperty("client_secret");
    expect((await facts("ClientRegistered")).at(-1)?.data).toMatchObject({
      client: { id: body["client_id"], name: "Inspector" },
      redirectUris: [redirectUri],
    });
  });
});

describe("an authorization request", () => {
  it.each([
    ["no resource", { resource: undefined }, "invalid_target"],
    ["a resource that is not ours", { resource: "https://example.com/mcp" }, "invalid_target"],
    ["an endpoint that does not exist", { resource: `${gatewayUrl}/mcp/nothing` }, "invalid_target"],
    ["a resource that differs by a slash", { resource: `${resource}/` }, "invalid_target"],
    ["no proof key", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
    ["a plain proof key", { code_challenge_method: "plain" }, "invalid_request"],
    ["a token instead of a code", { response_type: "token", response_mode: "query" }, "invalid_request"],
    ["no page to show", { prompt: "none" }, "login_required"],
  ])("is refused with %s, and the client hears it", async (_, changes, error) => {
    const { url } = await new Browser().get(authorizeUrl(await clientId(), changes));
    expect(url.origin + url.pathname).toBe(redirectUri);
    expect(url.searchParams.get("error")).toBe(error);
    expect(url.searchParams.get("iss")).toBe(identity.issuer);
  });

  it("for two resources at once is refused", async () => {
    const two = `${authorizeUrl(await clientId())}&resource=${encodeURIComponent(apiAudience)}`;
    const { url } = await new Browser().get(two);
    expect(url.searchParams.get("error")).toBe("invalid_target");
  });

  it("with an address that is not the client's goes nowhere", async () => {
    const page = await new Browser().get(
      authorizeUrl(await clientId(), { redirect_uri: "https://example.com/callback" }),
    );
    expect(page.status).toBe(400);
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  });

  it("may name any port of this machine, as native clients need to", async () => {
    const client = (await register({ redirect_uris: ["http://localhost/callback"] })).body["client_id"] ?? "";
    const other = authorizeUrl(client, { redirect_uri: "http://localhost:54321/callback" });
    expect((await begin(new Browser(), other)).text).toContain("Who are you today?");
  });
});

describe("a login", () => {
  it("begins only once the person agreed to it for this client and place, and is asked no more then", async () => {
    const client = await clientId();
    const browser = new Browser();
    const page = await browser.get(authorizeUrl(client));
    expect(page.text).toContain("Log in for Inspector (unverified)?");
    expect(page.text).toContain("127.0.0.1:9");
    const skipped = await browser.get(`${page.url.href}/login/${identity.providerId}`);
    expect(skipped.status).toBe(403);
    const other = await browser.get(authorizeUrl(await clientId()));
    const seal = new URL(linkIn(other) ?? "").search;
    expect((await browser.get(`${page.url.href}/login/${identity.providerId}${seal}`)).status).toBe(403);
    expect((await browser.get(linkIn(page) ?? "")).text).toContain("Who are you today?");
    expect((await browser.get(authorizeUrl(client))).text).toContain("Who are you today?");
    const elsewhere = (await register({ redirect_uris: ["https://example.com/cb"] })).body["client_id"] ?? "";
    const asked = await browser.get(authorizeUrl(elsewhere, { redirect_uri: "https://example.com/cb" }));
    expect(asked.text).toContain("example.com");
  });

  it("does not count in a browser that did not begin it", async () => {
    const page = await new Browser().get(authorizeUrl(await clientId()));
    const before = (await facts("PrincipalAuthenticated")).length;
    const idp = new Browser();
    // The victim's browser has none of the cookies of the one that began.
    const form = await idp.get(page.url.href);
    expect(form.status).toBe(400);
    const callback = await idp.get(
      `${identity.issuer}/login/${identity.providerId}/callback?code=x&state=${"a".repeat(32)}`,
    );
    expect(callback.status).toBe(403);
    expect((await facts("PrincipalAuthenticated")).length).toBe(before);
  });

  it("does not count while evidence cannot be written", async () => {
    const browser = new Browser();
    const form = await begin(browser, authorizeUrl(await clientId()));
    kafkaRefuses();
    const page = await browser.post(form.url.href, { login: "engineer" });
    expect(page.status).toBe(503);
    expect(page.text).toContain("Evidence cannot be written");
  });

  it("that the identity provider refuses is recorded as a failure", async () => {
    const browser = new Browser();
    await begin(browser, authorizeUrl(await clientId()));
    const [, state = ""] = /countersign_login_([\w-]+)/.exec(browser.names().join()) ?? [];
    const page = await browser.get(
      `${identity.issuer}/login/${identity.providerId}/callback?error=access_denied&state=${state}`,
    );
    expect(page.status).toBe(403);
    expect((await facts("AuthenticationFailed")).at(-1)?.data).toMatchObject({
      provider: identity.providerId,
    });
  });

  it("is recorded with who, how and for what", async () => {
    await logIn(new Browser(), authorizeUrl(await clientId()));
    expect((await facts("PrincipalAuthenticated")).at(-1)?.data).toMatchObject({
      principal: {
        id: `${identity.providerId}:engineer`,
        kind: "human",
        name: "Erin Engineer",
        email: "engineer@example.com",
        groups: ["payments-engineers"],
      },
      authentication: { amr: ["pwd", "mfa"], authTime: expect.stringMatching(/Z$/) },
      client: { name: "Inspector" },
      endpoint: "payments",
    });
  });
});

describe("the session page", () => {
  it("says who asks for what, runs no script and cannot be framed", async () => {
    const client = (await register({ client_name: "<script>alert(1)</script>" })).body["client_id"] ?? "";
    const page = await logIn(new Browser(), authorizeUrl(client));
    expect(page.text).toContain("&lt;script&gt;alert(1)&lt;/script&gt; (unverified)");
    expect(page.text).toContain("Payments &lt;test&gt; (payments)");
    expect(page.text).toContain("127.0.0.1:9");
    expect(page.text).not.toContain("<script");
    expect(page.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-.+'; form-action 'self'; frame-ancestors 'none'/,
    );
  });

  it.each([
    ["no justification", { justification: "" }, 422],
    ["a card number in it", { justification: "card 4111 1111 1111 1111 was charged twice" }, 422],
    ["a duration that was not offered", { duration: "999999" }, 422],
    ["no seal", { seal: "" }, 403],
    ["a seal of another making", { seal: "e30.AAAA" }, 403],
  ])("asks the broker nothing with %s", async (_, changes, status) => {
    const browser = new Browser();
    const page = await logIn(browser, authorizeUrl(await clientId()));
    const before = identity.requests.length;
    expect((await answerSession(browser, page, changes)).status).toBe(status);
    expect(identity.requests.length).toBe(before);
  });

  it("takes no form that was made for another person's browser", async () => {
    const [mine, theirs] = [new Browser(), new Browser()];
    const client = await clientId();
    const page = await logIn(mine, authorizeUrl(client));
    const other = await logIn(theirs, authorizeUrl(client), "lead");
    expect((await answerSession(mine, page, { seal: fieldOf(other, "seal") })).status).toBe(403);
  });

  it("takes no form that was made for another request of the same person", async () => {
    const browser = new Browser();
    const client = await clientId();
    const page = await logIn(browser, authorizeUrl(client));
    const other = await browser.get(authorizeUrl(client));
    expect((await answerSession(browser, page, { seal: fieldOf(other, "seal") })).status).toBe(403);
  });

  it("holds a justification to the endpoint's pattern", async () => {
    const browser = new Browser();
    const client = await clientId();
    const page = await logIn(browser, authorizeUrl(client, { resource: `${gatewayUrl}/mcp/ledger` }));
    const refused = await answerSession(browser, page, { justification: "because" });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain("INC-");
    const again = { url: page.url, text: refused.text, status: 0, headers: refused.headers };
    const done = await answerSession(browser, again, { justification: "see INC-42" });
    expect(done.url.searchParams.get("code")).toBeTruthy();
  });

  it("shows the broker's refusal, and cancelling tells the client", async () => {
    identity.decide = () => ({ denied: "Outside <working> hours." });
    const browser = new Browser();
    const page = await logIn(browser, authorizeUrl(await clientId()));
    const refused = await answerSession(browser, page);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("Outside &lt;working&gt; hours.");
    const { url } = await browser.post(`${page.url.href}/cancel`, { seal: fieldOf(refused, "seal") });
    expect(url.searchParams.get("error")).toBe("access_denied");
  });

  it("gives nothing while the command cannot be written", async () => {
    const browser = new Browser();
    const page = await logIn(browser, authorizeUrl(await clientId()));
    kafkaRefuses();
    const refused = await answerSession(browser, page);
    expect(refused.status).toBe(503);
    expect(refused.text).toContain("Evidence cannot be written");
  });

  it("asks again for every session, though the person is still logged in", async () => {
    const browser = new Browser();
    const client = await clientId();
    expect((await codeFor(client, browser)).url.searchParams.get("code")).toBeTruthy();
    const second = await browser.get(authorizeUrl(client));
    expect(second.text).toContain("What do you need it for?");
  });
});

describe("a code", () => {
  it.each([
    ["another verifier", { code_verifier: "x".repeat(43) }],
    ["no verifier", { code_verifier: "" }],
    ["another address", { redirect_uri: "http://127.0.0.1:9/other" }],
    ["another resource", { resource: `${gatewayUrl}/mcp/ledger` }],
    ["our own API instead", { resource: apiAudience }],
  ])("gives no token with %s", async (_, changes) => {
    const client = await clientId();
    const { status, body } = await redeem(client, await codeFor(client), changes);
    expect(status).toBe(400);
    expect(body).not.toHaveProperty("access_token");
  });

  it("gives no token to another client", async () => {
    const callback = await codeFor(await clientId());
    expect((await redeem(await clientId(), callback)).body["error"]).toBe("invalid_grant");
  });

  it("gives no token while evidence cannot be written", async () => {
    const client = await clientId();
    const callback = await codeFor(client);
    kafkaRefuses();
    expect(await redeem(client, callback)).toMatchObject({
      status: 503,
      body: { error: "temporarily_unavailable" },
    });
  });

  it("gives no token once the session was revoked", async () => {
    const client = await clientId();
    const callback = await codeFor(client);
    await revokeLast();
    expect((await redeem(client, callback)).body["error"]).toBe("invalid_grant");
  });

  it("that is used twice ends the session", async () => {
    const client = await clientId();
    const callback = await codeFor(client);
    const session = identity.requests.at(-1)?.sessionId;
    expect((await redeem(client, callback)).status).toBe(200);
    expect((await redeem(client, callback)).body["error"]).toBe("invalid_grant");
    expect(identity.revocations.at(-1)?.sessionId).toBe(session);
  });

  it("that is used twice at once gives one token", async () => {
    const client = await clientId();
    const callback = await codeFor(client);
    const answers = await Promise.all(Array.from({ length: 5 }, () => redeem(client, callback)));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  });

  it("gives a token for that endpoint and session, recorded before it leaves", async () => {
    const client = await clientId();
    const { status, body } = await redeem(client, await codeFor(client));
    expect(status).toBe(200);
    const keys = createRemoteJWKSet(new URL(`${identity.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(body["access_token"] ?? "", keys, {
      issuer: identity.issuer,
      audience: resource,
      typ: "at+jwt",
    });
    const asked = identity.requests.at(-1);
    expect(protectedHeader.alg).toBe("ES256");
    expect(payload).toMatchObject({
      sub: `${identity.providerId}:engineer`,
      client_id: client,
      sid: asked?.sessionId,
    });
    expect(asked).toMatchObject({
      justification: "Chargeback investigation",
      durationSeconds: 1800,
      principal: { groups: ["payments-engineers"] },
      authentication: { amr: ["pwd", "mfa"] },
      client: { id: client },
    });
    expect((await facts("AccessTokenIssued")).at(-1)?.data).toMatchObject({
      tokenId: payload.jti,
      audience: resource,
      sessionId: asked?.sessionId,
    });
  });

  it("comes with an ID token for a client that asks for one, whatever else it asks for", async () => {
    const browser = new Browser();
    const client = await clientId();
    const scope = "openid offline_access profile everything";
    const callback = await answerSession(browser, await logIn(browser, authorizeUrl(client, { scope })));
    const { body } = await redeem(client, callback);
    expect(decodeJwt(body["id_token"] ?? "")).toMatchObject({ aud: client });
    expect(body["scope"]).toBe("mcp");
  });

  it("gives a token that does not outlive a short session", async () => {
    identity.decide = () => ({ granted: { seconds: 120 } });
    const client = await clientId();
    const { body } = await redeem(client, await codeFor(client));
    const { exp = 0 } = decodeJwt(body["access_token"] ?? "");
    expect(exp).toBeLessThanOrEqual(Math.ceil(Date.now() / 1_000) + 120);
  });
});

describe("a refresh token", () => {
  const refresh = (client: string, value: string | undefined, changes: Record<string, string> = {}) =>
    token({ grant_type: "refresh_token", client_id: client, refresh_token: value ?? "", ...changes });

  it("rotates, is taken once more from a client that lost the answer, and then ends the session", async () => {
    const client = await clientId();
    const first = await redeem(client, await codeFor(client));
    const session = identity.requests.at(-1)?.sessionId;
    const second = await refresh(client, first.body["refresh_token"], { resource });
    expect(second.status).toBe(200);
    expect(second.body["refresh_token"]).not.toBe(first.body["refresh_token"]);
    expect(decodeJwt(second.body["access_token"] ?? "")).toMatchObject({ sid: session, aud: resource });
    expect((await refresh(client, first.body["refresh_token"])).status).toBe(200);
    expect((await refresh(client, first.body["refresh_token"])).body["error"]).toBe("invalid_grant");
    expect(identity.revocations.at(-1)?.sessionId).toBe(session);
    expect((await refresh(client, second.body["refresh_token"])).body["error"]).toBe("invalid_grant");
  });

  it("is refused for another client, another audience, and after the session", async () => {
    const client = await clientId();
    const { body } = await redeem(client, await codeFor(client));
    expect((await refresh(await clientId(), body["refresh_token"])).body["error"]).toBe("invalid_grant");
    await revokeLast();
    expect((await refresh(client, body["refresh_token"])).body["error"]).toBe("invalid_grant");
  });
});

describe("our own API", () => {
  const redeemApi = (client: string, callback: Visit) => redeem(client, callback, { resource: apiAudience });

  it("needs the person's consent, and tells who the person is", async () => {
    const browser = new Browser();
    const client = await clientId();
    const page = await logIn(browser, authorizeUrl(client, { resource: apiAudience }), "auditor");
    expect(page.text).toContain("Access to Countersign");
    expect((await browser.post(`${page.url.href}/consent`, { seal: "" })).status).toBe(403);
    const callback = await browser.post(`${page.url.href}/consent`, { seal: fieldOf(page, "seal") });
    const { body } = await redeemApi(client, callback);
    expect(body).not.toHaveProperty("refresh_token");
    expect(decodeJwt(body["access_token"] ?? "")).toMatchObject({
      aud: apiAudience,
      sub: `${identity.providerId}:auditor`,
      kind: "human",
      name: "Audrey Auditor",
      groups: ["auditors"],
    });
  });

  it("is not to be had with the form of an endpoint", async () => {
    const browser = new Browser();
    const page = await logIn(browser, authorizeUrl(await clientId()));
    const seal = fieldOf(page, "seal");
    expect((await browser.post(`${page.url.href}/consent`, { seal })).status).toBe(403);
  });
});

describe("a workload", () => {
  const exchange = async (changes: Record<string, string> = {}) =>
    token({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      client_id: "countersign-workload",
      subject_token: await workloadToken(identity.idpIssuer),
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      resource,
      ...changes,
    });

  it.each([
    ["a token of nobody we know", { subject_token: "e30.e30.e30" }, "invalid_grant"],
    ["our own API in mind", { resource: apiAudience }, "invalid_target"],
    ["no known endpoint in mind", { resource: `${gatewayUrl}/mcp/nothing` }, "invalid_target"],
    ["no justification where one is asked for", { resource: `${gatewayUrl}/mcp/ledger` }, "invalid_request"],
  ])("gets nothing with %s", async (_, changes, error) => {
    const { status, body } = await exchange(changes);
    expect(status).toBe(400);
    expect(body["error"]).toBe(error);
  });

  it("gets nothing as a client that registered itself", async () => {
    expect((await exchange({ client_id: await clientId() })).status).toBe(400);
  });

  it("gets nothing that the broker denies, and hears why", async () => {
    identity.decide = () => ({ denied: "not from here" });
    expect((await exchange()).body).toMatchObject({
      error: "access_denied",
      error_description: "not from here",
    });
  });

  it("gets nothing while evidence cannot be written", async () => {
    kafkaRefuses();
    expect((await exchange()).status).toBe(503);
  });

  it("gets a token for a session, and nothing to refresh it with", async () => {
    const { status, body } = await exchange({ justification: "nightly reconciliation" });
    expect(status).toBe(200);
    expect(body).not.toHaveProperty("refresh_token");
    const asked = identity.requests.at(-1);
    expect(asked).toMatchObject({
      principal: { id: "ci:ci-payments", kind: "workload", groups: ["payments-ci"] },
      justification: "nightly reconciliation",
    });
    expect(decodeJwt(body["access_token"] ?? "")).toMatchObject({ aud: resource, sid: asked?.sessionId });
  });
});

describe("the service", () => {
  it("describes itself to clients, at its issuer whatever host they name", async () => {
    for (const path of ["openid-configuration", "oauth-authorization-server"]) {
      const response = await fetch(`${identity.issuer}/.well-known/${path}`, {
        headers: { origin: "http://127.0.0.1:6274", "x-forwarded-host": "evil.example" },
      });
      expect(response.headers.get("access-control-allow-origin")).toBeTruthy();
      expect(await response.json()).toMatchObject({
        issuer: identity.issuer,
        token_endpoint: `${identity.issuer}/token`,
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
        token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
      });
    }
  });

  it("does not fetch a client's description from a private network", async () => {
    const page = await new Browser().get(authorizeUrl("https://localhost/client.json"));
    expect(page.status).toBe(400);
    expect(page.text).toContain("metadata document fetch not allowed");
  });

  it("lets clients in browsers register and redeem", async () => {
    const preflight = await fetch(`${identity.issuer}/register`, {
      method: "OPTIONS",
      headers: { origin: "http://x", "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
  });

  it("is ready, has a front page, and guards what is not public", async () => {
    expect((await fetch(`${identity.issuer}/readyz`)).status).toBe(200);
    expect(await (await fetch(identity.issuer)).text()).toContain("authorization server of Countersign");
  });

  it("ends a login, and the sessions that were begun in its name", async () => {
    const browser = new Browser();
    const client = await clientId();
    await codeFor(client, browser);
    const session = identity.requests.at(-1)?.sessionId;
    const page = await browser.get(`${identity.issuer}/logout`);
    expect(page.text).toContain("Log out");
    await browser.post(`${identity.issuer}/logout/confirm`, { xsrf: fieldOf(page, "xsrf"), logout: "yes" });
    expect((await browser.get(authorizeUrl(client))).text).toContain("Who are you today?");
    expect(identity.revocations).toContainEqual(
      expect.objectContaining({ sessionId: session, cause: "logout" }),
    );
  });

  it("keeps nothing in its tables that opens a door", async () => {
    const client = await clientId();
    const browser = new Browser();
    const callback = await codeFor(client, browser);
    const code = callback.url.searchParams.get("code") ?? "";
    const { body } = await redeem(client, callback);
    const page = await browser.get(authorizeUrl(client));
    const interaction = page.url.pathname.split("/").at(-1) ?? "";
    const dump = await identity.dump();
    expect(dump).toContain(client);
    const cookies = browser.values();
    expect(cookies.length).toBeGreaterThan(0);
    for (const secret of [code, body["refresh_token"] ?? "", interaction, ...cookies]) {
      expect(secret.length).toBeGreaterThan(10);
      expect(dump).not.toContain(secret);
    }
  });
});

const revokeLast = async () => {
  const request = identity.requests.at(-1);
  if (!request) throw new Error("no session was asked for");
  await identity.revoke(request);
};
