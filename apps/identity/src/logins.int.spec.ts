import { apiAudience } from "@countersign/contracts";
import { TokenVerifier } from "@countersign/service-kit";
import {
  type CryptoKey,
  calculateJwkThumbprint,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  type JWK,
  SignJWT,
} from "jose";
import { DataSource } from "typeorm";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Browser, fieldOf, linkIn } from "./testing/browser.fixture.js";
import { ledger, payments } from "./testing/endpoints.fixture.js";
import { gatewayUrl, type Running, startIdentity } from "./testing/identity.fixture.js";
import { oauthAt, resource } from "./testing/oauth.fixture.js";
import {
  assertionOf,
  honest,
  logoutRequestOf,
  requestIn,
  responseOf,
  samlKeys,
  signed,
} from "./testing/saml-idp.fixture.js";

/** Long enough for a login to be young on a busy machine, and short enough to wait for. */
const loginAgeSecondsMax = 8;
const knownClient = "https://client.example.com/client.json";
const idp = samlKeys();
let identity: Running;
let keys: { fresh: JWK & { kid: string }; old: JWK & { kid: string }; oldKey: CryptoKey };

beforeAll(async () => {
  const pairs = await Promise.all(
    ["ES256", "ES256"].map((alg) => generateKeyPair(alg, { extractable: true })),
  );
  const [fresh, old] = await Promise.all(
    pairs.map(async ({ privateKey }) => {
      const jwk = await exportJWK(privateKey);
      return { ...jwk, kid: await calculateJwkThumbprint(jwk) };
    }),
  );
  if (!fresh || !old || !pairs[1]) throw new Error("no keys");
  keys = { fresh, old, oldKey: pairs[1].privateKey };
  const strict = {
    ...ledger,
    session: { ...payments.session, authenticationAgeSecondsMax: loginAgeSecondsMax, mfaRequired: true },
  };
  identity = await startIdentity({
    brokers: inject("kafkaBrokers"),
    adminUrl: inject("adminDatabaseUrl"),
    samlCertificate: idp.publicKey,
    signingKeys: [fresh, old],
    clientDocument: {
      client_id: knownClient,
      client_name: "Known client",
      redirect_uris: ["http://localhost/callback"],
      token_endpoint_auth_method: "none",
    },
    env: { CLIENT_METADATA_DOCUMENTS: "off" },
    endpoints: [payments, strict],
  });
});
afterAll(() => identity?.stop());

const { authorizeUrl, begin, logIn, answerSession, redeem, clientId, codeFor, facts } = oauthAt(
  () => identity,
);

describe("keys that are being changed", () => {
  it("sign with the first, while tokens of the one before stay good", async () => {
    const client = await clientId();
    const { body } = await redeem(client, await codeFor(client));
    const token = body["access_token"] ?? "";
    expect(decodeProtectedHeader(token).kid).toBe(keys.fresh.kid);
    const verifier = new TokenVerifier({ issuer: identity.issuer });
    expect((await verifier.verify(token, resource)).sub).toBe(`${identity.providerId}:engineer`);
    const now = Math.floor(Date.now() / 1_000);
    const before = await new SignJWT({ sub: "a", jti: "1", iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: keys.old.kid })
      .setIssuer(identity.issuer)
      .setAudience(resource)
      .sign(keys.oldKey);
    expect((await verifier.verify(before, resource)).sub).toBe("a");
    const published = await (await fetch(`${identity.issuer}/jwks`)).text();
    expect(published).toContain(keys.old.kid);
    expect(published).not.toContain('"d"');
  });
});

describe("an endpoint that asks for a fresh and strong login", () => {
  const resourceThere = `${gatewayUrl}/mcp/ledger`;

  it("asks for a new one where the login is too old, and not where it has just happened", async () => {
    const browser = new Browser();
    const client = await clientId();
    await codeFor(client, browser);
    const soon = await begin(browser, authorizeUrl(client, { resource: resourceThere }));
    expect(soon.text).toContain("What do you need it for?");
    await new Promise((resolve) => setTimeout(resolve, (loginAgeSecondsMax + 1) * 1_000));
    const url = authorizeUrl(client, { resource: resourceThere });
    const page = await logIn(browser, url);
    expect(page.text).toContain("What do you need it for?");
    const callback = await answerSession(browser, page, { justification: "see INC-42" });
    expect(callback.url.searchParams.get("code")).toBeTruthy();
    const { authentication } = identity.requests.at(-1) ?? {};
    expect(authentication).toMatchObject({ mfa: true, authTime: expect.stringMatching(/Z$/) });
    expect(Date.now() - Date.parse(authentication?.authTime ?? "")).toBeLessThan(30_000);
    const other = await begin(browser, authorizeUrl(client));
    expect(other.text).toContain("What do you need it for?");
  });
});

describe("a login of a provider that was taken out of the configuration", () => {
  /** Leaves this run's logins as they would be found after a start without their provider. */
  const forgetProvider = () =>
    identity.app.get(DataSource).query(
      `UPDATE identity.oidc_models SET payload = jsonb_set(payload, '{login,authentication,provider}', '"gone"')
         WHERE model = 'Login'`,
    );

  it.each([
    ["an endpoint", resource],
    ["our own API", apiAudience],
  ])("is none for %s any more: the person is asked to log in", async (_, where) => {
    const browser = new Browser();
    const client = await clientId();
    await codeFor(client, browser);
    const again = await begin(browser, authorizeUrl(client, { resource: where }));
    expect(again.text).not.toContain("Who are you today?");
    await forgetProvider();
    const asked = await begin(browser, authorizeUrl(client, { resource: where }));
    expect(asked.text).toContain("Who are you today?");
  });

  it("opens no session on a page that was shown before", async () => {
    const browser = new Browser();
    const page = await logIn(browser, authorizeUrl(await clientId()));
    await forgetProvider();
    const before = identity.requests.length;
    expect((await answerSession(browser, page)).status).toBe(400);
    expect(identity.requests.length).toBe(before);
  });

  it("gives no token for our own API by a code that was given before", async () => {
    const browser = new Browser();
    const client = await clientId();
    const page = await logIn(browser, authorizeUrl(client, { resource: apiAudience }));
    const callback = await browser.post(`${page.url.href}/consent`, { seal: fieldOf(page, "seal") });
    expect(callback.url.searchParams.get("code")).toBeTruthy();
    await forgetProvider();
    const { body } = await redeem(client, callback, { resource: apiAudience });
    expect(body).toMatchObject({ error: "invalid_grant" });
  });
});

describe("a client's description that is known beforehand", () => {
  it("needs no fetching, while no other one is fetched", async () => {
    const redirect = { redirect_uri: "http://localhost:4711/callback" };
    const page = await new Browser().get(authorizeUrl(knownClient, redirect));
    expect(page.text).toContain("Log in for Known client (client.example.com)?");
    const other = await new Browser().get(authorizeUrl("https://client.example.com/other.json", redirect));
    expect(other.status).toBe(400);
    const metadata = await fetch(`${identity.issuer}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({ client_id_metadata_document_supported: true });
  });

  it("gives way to nothing that it did not name", async () => {
    const stolen = await new Browser().get(
      authorizeUrl(knownClient, { redirect_uri: "http://localhost:4711/other" }),
    );
    expect(stolen.status).toBe(400);
  });
});

describe("several providers", () => {
  it("are side by side on the page, and found by the domain of an e-mail address", async () => {
    const browser = new Browser();
    const page = await browser.get(authorizeUrl(await clientId()));
    expect(page.text).toContain("Log in with Company account");
    expect(page.text).toContain("Log in with SAML account");
    const found = await browser.post(`${page.url.href}/email`, { email: "Erin@SAML.example.com" });
    expect(found.text).toContain("Log in with SAML account");
    expect(found.text).not.toContain("Log in with Company account");
    const unknown = await browser.post(`${page.url.href}/email`, { email: "erin@nowhere.example" });
    expect(unknown.text).toContain("No account is known for this address");
    expect(unknown.text).toContain("Log in with Company account");
    const hinted = await browser.get(authorizeUrl(await clientId(), { login_hint: "a@saml.example.com" }));
    expect(hinted.text).not.toContain("Log in with Company account");
  });

  it("may speak SAML: the provider's form leads to the session page in the browser that asked", async () => {
    const browser = new Browser();
    const client = await clientId();
    const page = await browser.get(authorizeUrl(client, { login_hint: "erin@saml.example.com" }));
    const sent = await browser.redirectOf(linkIn(page) ?? "");
    const { id } = requestIn(sent);
    const at = `${identity.issuer}/login/saml`;
    const said = honest({ audience: `${at}/metadata`, recipient: `${at}/callback`, inResponseTo: id });
    const form = {
      SAMLResponse: Buffer.from(responseOf(signed(assertionOf(said), idp.privateKey), id)).toString("base64"),
    };
    const stolen = await new Browser().post(`${at}/callback`, form);
    expect(stolen.status).toBe(403);

    // The agreement was given the first time, and there is one provider for this address: the browser is sent on.
    const hint = { login_hint: "erin@saml.example.com" };
    const second = requestIn(await browser.redirectOf(authorizeUrl(client, hint)));
    const next = honest({ audience: `${at}/metadata`, recipient: `${at}/callback`, inResponseTo: second.id });
    const asked = await browser.post(`${at}/callback`, {
      SAMLResponse: Buffer.from(responseOf(signed(assertionOf(next), idp.privateKey), second.id)).toString(
        "base64",
      ),
    });
    expect(asked.text).toContain("What do you need it for?");
    expect(fieldOf(asked, "seal")).toBeTruthy();
    await answerSession(browser, asked);
    expect(identity.requests.at(-1)).toMatchObject({
      principal: { id: "saml:erin", groups: ["payments-engineers"] },
      authentication: { provider: "saml" },
    });
    expect((await facts("PrincipalAuthenticated")).at(-1)?.data).toMatchObject({
      principal: { id: "saml:erin" },
    });
  });

  it("may tell of a logout by SAML, once, if it is theirs, for this service and of now", async () => {
    const at = `${identity.issuer}/login/saml`;
    const browser = new Browser();
    const hint = { login_hint: "erin@saml.example.com" };
    const page = await browser.get(authorizeUrl(await clientId(), hint));
    const { id } = requestIn(await browser.redirectOf(linkIn(page) ?? ""));
    const said = honest({ audience: `${at}/metadata`, recipient: `${at}/callback`, inResponseTo: id });
    const response = responseOf(signed(assertionOf(said), idp.privateKey), id);
    const SAMLResponse = Buffer.from(response).toString("base64");
    await answerSession(browser, await browser.post(`${at}/callback`, { SAMLResponse }));
    const { sessionId } = identity.requests.at(-1) ?? { sessionId: "" };

    const post = async (xml: string) =>
      (await new Browser().post(`${at}/logout`, { SAMLRequest: Buffer.from(xml).toString("base64") })).status;
    const request = (changes: Partial<Parameters<typeof logoutRequestOf>[0]> = {}) =>
      logoutRequestOf({ destination: `${at}/logout`, nameId: "erin", ...changes });
    const sign = (xml: string, key = idp.privateKey, weak = false) => signed(xml, key, weak, "LogoutRequest");
    const honestly = sign(request());
    const forged = {
      unsigned: request(),
      "signed by another": sign(request(), samlKeys().privateKey),
      "signed weakly": sign(request(), idp.privateKey, true),
      changed: honestly.replace(">erin<", ">lead<"),
      "of another issuer": sign(request({ issuer: "https://other.example.com" })),
      "for another address": sign(request({ destination: `${at}/callback` })),
      "too old": sign(request({ issueInstant: new Date(Date.now() - 301_000) })),
      // Far enough ahead to stay so while this test waits for its turn.
      "not of this time": sign(request({ issueInstant: new Date(Date.now() + 600_000) })),
      "no request": "<a/>",
      "an assertion": signed(assertionOf(said), idp.privateKey),
      wrapped: `<x>${honestly}</x>`,
      "in front of another": `${request({ nameId: "lead" })}${honestly}`,
      "in front of another one's signature": request().replace(
        "</samlp:LogoutRequest>",
        `${honestly}</samlp:LogoutRequest>`,
      ),
    };
    const before = identity.revocations.length;
    for (const [how, xml] of Object.entries(forged)) expect([how, await post(xml)]).toEqual([how, 403]);
    expect(identity.revocations).toHaveLength(before);
    expect((await facts("AuthenticationFailed")).at(-1)?.data).toMatchObject({ provider: "saml" });

    expect(await post(honestly)).toBe(200);
    // All that the person has here, whatever login it is of.
    expect(identity.revocations.slice(before)).toContainEqual(
      expect.objectContaining({ sessionId, cause: "logout" }),
    );
    expect(await post(honestly)).toBe(403);
  });

  it("are told about this service where they speak SAML", async () => {
    const response = await fetch(`${identity.issuer}/login/saml/metadata`);
    expect(response.headers.get("content-type")).toContain("samlmetadata+xml");
    expect(await response.text()).toContain(`${identity.issuer}/login/saml/callback`);
    expect((await fetch(`${identity.issuer}/login/${identity.providerId}/metadata`)).status).toBe(403);
  });
});
