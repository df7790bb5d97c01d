import { apiAudience } from "@countersign/contracts";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Browser, fieldOf, linkIn } from "./testing/browser.fixture.js";
import { type Running, startIdentity } from "./testing/identity.fixture.js";
import { oauthAt, resource } from "./testing/oauth.fixture.js";

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

let identity: Running;
beforeAll(async () => {
  identity = await startIdentity({ brokers: inject("kafkaBrokers"), adminUrl: inject("adminDatabaseUrl") });
});
afterAll(() => identity?.stop());

const { register, answerSession, token } = oauthAt(() => identity);

const machine = async () =>
  (await register({ redirect_uris: [], grant_types: [deviceGrant, "refresh_token"] })).body["client_id"] ??
  "";

const begin = async (client: string, changes: Record<string, string> = {}) => {
  const response = await fetch(`${identity.issuer}/device/authorize`, {
    method: "POST",
    body: new URLSearchParams({ client_id: client, resource, ...changes }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
};

const poll = (client: string, deviceCode: string | undefined) =>
  token({ grant_type: deviceGrant, client_id: client, device_code: deviceCode ?? "" });

const pollApi = (client: string, deviceCode: string | undefined) =>
  token({
    grant_type: deviceGrant,
    client_id: client,
    device_code: deviceCode ?? "",
    resource: apiAudience,
  });

/** What a person does: enters the code, looks at what is asked, logs in. */
async function logInWith(userCode: string, browser: Browser) {
  const form = await browser.get(`${identity.issuer}/device`);
  const confirm = await browser.post(form.url.href, { xsrf: fieldOf(form, "xsrf"), user_code: userCode });
  expect(confirm.text).toContain("Is this your device?");
  expect(confirm.text).toContain(userCode);
  const login = await browser.post(form.url.href, {
    xsrf: fieldOf(confirm, "xsrf"),
    user_code: userCode,
    confirm: "yes",
  });
  expect(login.text).toContain("the device that shows the code");
  const idp = await browser.get(linkIn(login) ?? "");
  return browser.post(idp.url.href, { login: "engineer" });
}

/** The same, and says why. */
async function approve(userCode: string) {
  const browser = new Browser();
  const page = await logInWith(userCode, browser);
  expect(page.text).toContain("What do you need it for?");
  return answerSession(browser, page);
}

describe("a machine without a browser", () => {
  it("gets a token for a session once a person entered its code, and can refresh it", async () => {
    const client = await machine();
    const { status, body } = await begin(client);
    expect(status).toBe(200);
    expect(body["verification_uri"]).toBe(`${identity.issuer}/device`);
    expect((await poll(client, body["device_code"])).body["error"]).toBe("authorization_pending");
    const done = await approve(body["user_code"] ?? "");
    expect(done.text).toContain("The device is connected");
    const answer = await poll(client, body["device_code"]);
    expect(answer.status).toBe(200);
    const asked = identity.requests.at(-1);
    expect(decodeJwt(answer.body["access_token"] ?? "")).toMatchObject({
      aud: resource,
      sid: asked?.sessionId,
    });
    expect(asked).toMatchObject({ client: { id: client }, principal: { kind: "human" } });
    const refreshed = await token({
      grant_type: "refresh_token",
      client_id: client,
      refresh_token: answer.body["refresh_token"] ?? "",
    });
    expect(refreshed.status).toBe(200);
    expect((await poll(client, body["device_code"])).body["error"]).toBe("invalid_grant");
  });

  it("gets a token for our own API once a person allowed it, and nothing to refresh it with", async () => {
    const client = await machine();
    const { body } = await begin(client, { resource: apiAudience });
    const browser = new Browser();
    const page = await logInWith(body["user_code"] ?? "", browser);
    expect(page.text).toContain("Access to Countersign");
    expect((await pollApi(client, body["device_code"])).body["error"]).toBe("authorization_pending");
    const done = await browser.post(`${page.url.href}/consent`, { seal: fieldOf(page, "seal") });
    expect(done.text).toContain("The device is connected");
    const { body: tokens } = await pollApi(client, body["device_code"]);
    expect(tokens).not.toHaveProperty("refresh_token");
    expect(decodeJwt(tokens["access_token"] ?? "")).toMatchObject({
      aud: apiAudience,
      sub: `${identity.providerId}:engineer`,
      groups: ["payments-engineers"],
    });
  });

  it("gets nothing for another machine's code, without a resource, or with a wrong code", async () => {
    const client = await machine();
    const { body } = await begin(client);
    expect((await poll(await machine(), body["device_code"])).body["error"]).toBe("invalid_grant");
    expect((await begin(client, { resource: "https://example.com" })).body["error"]).toBe("invalid_target");
    const browser = new Browser();
    const form = await browser.get(`${identity.issuer}/device`);
    const wrong = await browser.post(form.url.href, { xsrf: fieldOf(form, "xsrf"), user_code: "BBBB-BBBB" });
    expect(wrong.text).toContain("This code is not right");
    const forged = await browser.post(form.url.href, { xsrf: "x", user_code: body["user_code"] ?? "" });
    expect(forged.text).not.toContain("Is this your device?");
  });

  it("hears that the person stopped", async () => {
    const client = await machine();
    const { body } = await begin(client);
    const browser = new Browser();
    const form = await browser.get(`${identity.issuer}/device`);
    const userCode = body["user_code"] ?? "";
    const confirm = await browser.post(form.url.href, { xsrf: fieldOf(form, "xsrf"), user_code: userCode });
    await browser.post(form.url.href, {
      xsrf: fieldOf(confirm, "xsrf"),
      user_code: userCode,
      confirm: "yes",
      abort: "yes",
    });
    expect((await poll(client, body["device_code"])).body["error"]).toBe("access_denied");
  });

  it("leaves no device code in the tables", async () => {
    const client = await machine();
    const { body } = await begin(client);
    await approve(body["user_code"] ?? "");
    const dump = await identity.dump();
    expect(dump).toContain(client);
    expect(dump).not.toContain(body["device_code"]);
  });
});

describe("introspection", () => {
  it("tells a client of its own refresh token, and nobody else of it", async () => {
    const client = await machine();
    const { body } = await begin(client);
    await approve(body["user_code"] ?? "");
    const { body: tokens } = await poll(client, body["device_code"]);
    const introspect = async (clientId: string) => {
      const response = await fetch(`${identity.issuer}/introspect`, {
        method: "POST",
        body: new URLSearchParams({ client_id: clientId, token: tokens["refresh_token"] ?? "" }),
      });
      return (await response.json()) as Record<string, unknown>;
    };
    expect(await introspect(client)).toMatchObject({ active: true, client_id: client });
    expect(await introspect(await machine())).toEqual({ active: false });
    await fetch(`${identity.issuer}/revoke`, {
      method: "POST",
      body: new URLSearchParams({ client_id: client, token: tokens["refresh_token"] ?? "" }),
    });
    expect(await introspect(client)).toEqual({ active: false });
    expect(identity.revocations.at(-1)).toMatchObject({ cause: "returned" });
  });
});
