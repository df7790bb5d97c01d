import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Browser } from "./testing/browser.fixture.js";
import { type Running, startIdentity } from "./testing/identity.fixture.js";
import { oauthAt } from "./testing/oauth.fixture.js";

const scheme = "cursor://anysphere.cursor-mcp/oauth/callback";
/** What Cursor registers, whole: three places to answer to, of which it uses the one that it runs at. */
const cursor = {
  client_name: "Cursor",
  redirect_uris: [
    scheme,
    "https://www.cursor.com/agents/mcp/oauth/callback",
    "http://localhost:8787/callback",
  ],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
};
const vscode = [
  "http://127.0.0.1/",
  "http://127.0.0.1:33418/",
  "https://vscode.dev/redirect",
  "https://insiders.vscode.dev/redirect",
];
const knownClient = "https://client.example.com/metadata.json";

let identity: Running;
beforeAll(async () => {
  identity = await startIdentity({
    brokers: inject("kafkaBrokers"),
    adminUrl: inject("adminDatabaseUrl"),
    clientDocument: { client_id: knownClient, client_name: "Known client", redirect_uris: [scheme] },
  });
});
afterAll(() => identity?.stop());

const { register, authorizeUrl, logIn, answerSession, redeem, facts } = oauthAt(() => identity);

const idOf = async (metadata: Record<string, unknown>) => (await register(metadata)).body["client_id"] ?? "";

/** A whole login of `client` by an address, up to the answer of the token endpoint. */
async function tokenBy(client: string, address: string) {
  const browser = new Browser(address);
  const page = await logIn(browser, authorizeUrl(client, { redirect_uri: address }));
  const callback = await answerSession(browser, page);
  return { page, callback, ...(await redeem(client, callback, { redirect_uri: address })) };
}

describe("a client that is sent back in several ways", () => {
  it("registers all of them in one request, as a public and native client, and that is recorded", async () => {
    const { status, body } = await register(cursor);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      redirect_uris: cursor.redirect_uris,
      token_endpoint_auth_method: "none",
      application_type: "native",
    });
    expect(body).not.toHaveProperty("client_secret");
    expect((await facts("ClientRegistered")).at(-1)?.data).toMatchObject({
      client: { id: body["client_id"], name: "Cursor" },
      redirectUris: cursor.redirect_uris,
    });
  });

  it.each(cursor.redirect_uris)("gets a token by %s", async (address) => {
    const { status, body, callback } = await tokenBy(await idOf(cursor), address);
    expect(callback.url.href.split("?")[0]).toBe(address);
    expect(callback.url.searchParams.get("iss")).toBe(identity.issuer);
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: "Bearer", refresh_token: expect.any(String) });
  });

  it.each(["http://127.0.0.1:54321/", "https://vscode.dev/redirect"])(
    "gets a token by %s where it mixes pages and any port of this machine",
    async (address) => {
      const { status } = await tokenBy(await idOf({ redirect_uris: vscode }), address);
      expect(status).toBe(200);
    },
  );

  it("is held to the same rules where a document describes it", async () => {
    expect((await tokenBy(knownClient, scheme)).status).toBe(200);
  });
});

describe("a client that answers to a scheme of its own", () => {
  it("is shown as an app on this computer, since nobody can tell whose it is", async () => {
    const { page } = await tokenBy(await idOf(cursor), scheme);
    expect(page.text).toContain("an app on this computer that answers to cursor://");
    expect(page.text).not.toContain("anysphere.cursor-mcp");
  });

  it("hears refusals there, too", async () => {
    const browser = new Browser(scheme);
    const { url } = await browser.get(
      authorizeUrl(await idOf(cursor), { redirect_uri: scheme, prompt: "none" }),
    );
    expect(url.protocol).toBe("cursor:");
    expect(url.searchParams.get("error")).toBe("login_required");
  });

  it("gets no secret, though it asks for one", async () => {
    const { body } = await register({ ...cursor, token_endpoint_auth_method: "client_secret_basic" });
    expect(body["token_endpoint_auth_method"]).toBe("none");
    expect(body).not.toHaveProperty("client_secret");
  });

  it.each([
    ["no proof key", { code_challenge: undefined, code_challenge_method: undefined }],
    ["a plain proof key", { code_challenge_method: "plain" }],
  ])("begins nothing with %s", async (_, changes) => {
    const browser = new Browser(scheme);
    const { url } = await browser.get(authorizeUrl(await idOf(cursor), { redirect_uri: scheme, ...changes }));
    expect(url.searchParams.get("error")).toBe("invalid_request");
  });

  it("cannot redeem its code without the verifier, or as if it had gone elsewhere", async () => {
    const client = await idOf(cursor);
    const wrong: Record<string, string>[] = [
      { code_verifier: "x".repeat(43) },
      { redirect_uri: `${scheme}/` },
    ];
    for (const changes of wrong) {
      const browser = new Browser(scheme);
      const page = await logIn(browser, authorizeUrl(client, { redirect_uri: scheme }));
      const callback = await answerSession(browser, page);
      const { body } = await redeem(client, callback, { redirect_uri: scheme, ...changes });
      expect(body).toMatchObject({ error: "invalid_grant" });
    }
  });

  it.each([
    "cursor://anysphere.cursor-mcp/oauth/callback/",
    "cursor://anysphere.cursor-mcp/oauth/callback/steal",
    "cursor://anysphere.cursor-mcp/oauth",
    "cursor://anysphere.cursor-mcp/oauth/x/../callback",
    "cursor://anysphere.cursor-mcp/oauth/callback?to=evil",
    "cursor://anysphere.cursor-mcp/oauth/callback#evil",
    "cursor://anysphere.cursor-mcp:8787/oauth/callback",
    "cursor://evil/oauth/callback",
    "cursor://anysphere.cursor-mcp@evil/oauth/callback",
    "Cursor://anysphere.cursor-mcp/oauth/callback",
    "evil://anysphere.cursor-mcp/oauth/callback",
    "http://localhost:9999/steal",
    "https://www.cursor.com/agents/mcp/oauth/callback/",
  ])("is sent to no address but one it registered: not to %s", async (address) => {
    const page = await new Browser().get(authorizeUrl(await idOf(cursor), { redirect_uri: address }));
    expect(page.status).toBe(400);
    expect(page.url.origin).toBe(identity.issuer);
  });

  it.each([
    ["a script", "javascript:alert(1)"],
    ["a script that looks like an address", "javascript://anysphere.cursor-mcp/%0aalert(1)"],
    ["a script with a break in it", "java\nscript:alert(1)"],
    ["a page of its own making", "data:text/html,<script>alert(1)</script>"],
    ["a file", "file:///etc/passwd"],
    ["a socket", "wss://example.com/callback"],
    ["another machine in the clear", "http://www.cursor.com/callback"],
    ["a fragment", `${scheme}#x`],
    ["a wildcard", "cursor://*"],
    ["a wildcard below", "https://*.cursor.com/callback"],
    ["a scheme alone", "cursor:"],
  ])("cannot register %s beside its good addresses", async (_, bad) => {
    const { status, body } = await register({ ...cursor, redirect_uris: [...cursor.redirect_uris, bad] });
    expect(status).toBe(400);
    expect(body["error"]).toMatch(/invalid_(redirect_uri|client_metadata)/);
  });
});
