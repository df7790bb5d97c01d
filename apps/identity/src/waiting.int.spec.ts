import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { AskedSessions } from "./store/asked-sessions.js";
import { Browser, fieldOf, type Visit } from "./testing/browser.fixture.js";
import { type Running, startIdentity, workloadToken } from "./testing/identity.fixture.js";
import { oauthAt, resource } from "./testing/oauth.fixture.js";

let identity: Running;
beforeAll(async () => {
  identity = await startIdentity({ brokers: inject("kafkaBrokers"), adminUrl: inject("adminDatabaseUrl") });
});
afterAll(() => identity?.stop());
beforeEach(() => {
  identity.decide = ({ canWait }) =>
    canWait ? { waits: { seconds: 600 } } : { denied: "Another person has to approve this session." };
});

const { clientId, authorizeUrl, logIn, answerSession, redeem, register, token } = oauthAt(() => identity);

const isWaiting = (page: Visit) => page.text.includes("Waiting for an approval");
const ask = async (client: string, browser = new Browser()) => {
  const page = await answerSession(browser, await logIn(browser, authorizeUrl(client)));
  expect(isWaiting(page)).toBe(true);
  const request = identity.requests.at(-1);
  if (!request) throw new Error("nothing was asked for");
  // The form was sent to an address below the page's own.
  return { browser, page, request, address: page.url.href.replace(/\/session$/, "") };
};
const isDecided = async (browser: Browser, address: string) => {
  const { status, text } = await browser.get(`${address}/session`);
  return status === 200 ? (JSON.parse(text) as { decided: boolean }).decided : status;
};

describe("the page of a session that waits for an approval", () => {
  it("is nobody else's, and without a request there is nothing to wait for", async () => {
    const client = await clientId();
    const { address } = await ask(client);
    expect(await isDecided(new Browser(), address)).toBe(400);
    const browser = new Browser();
    const page = await logIn(browser, authorizeUrl(client));
    expect(await isDecided(browser, page.url.href)).toBe(400);
  });

  it("does not go on by itself before the decision, and does after it", async () => {
    const client = await clientId();
    const { browser, request, address, page } = await ask(client);
    expect(request).toMatchObject({ canWait: true, justification: "Chargeback investigation" });
    expect(page.status).toBe(200);
    expect(page.text).toContain("30 minutes");
    expect(isWaiting(await browser.get(address))).toBe(true);
    const decided = isDecided(browser, address);
    await identity.settle(request, { granted: { seconds: 1_800 } });
    expect(await decided).toBe(true);
    const callback = await browser.get(address);
    const { body } = await redeem(client, callback);
    expect(decodeJwt(body["access_token"] ?? "")).toMatchObject({ sid: request.sessionId });
  });

  it("is the same again after it was closed, and another form asks for nothing else", async () => {
    const client = await clientId();
    const { browser, request, address } = await ask(client);
    const before = identity.requests.length;
    for (const url of [address, `${address}?again`]) expect(isWaiting(await browser.get(url))).toBe(true);
    const again = await browser.get(address);
    const sent = await browser.post(`${address}/session`, {
      seal: fieldOf(again, "seal"),
      justification: "something else",
      duration: "1800",
    });
    expect(isWaiting(sent)).toBe(true);
    expect(identity.requests).toHaveLength(before);
    await identity.settle(request, { granted: { seconds: 1_800 } });
    await isDecided(browser, address);
    expect((await browser.get(address)).url.searchParams.get("code")).toBeTruthy();
  });

  it("is kept where every replica finds it", async () => {
    const { address, request } = await ask(await clientId());
    const uid = address.split("/").at(-1) ?? "";
    const asked = identity.app.get(AskedSessions);
    expect(await asked.find(uid, request.principal.id)).toMatchObject({ sessionId: request.sessionId });
    expect(await asked.find(uid, "somebody else")).toBeUndefined();
    expect(await identity.dump()).not.toContain(uid);
  });

  it("shows why it was refused, and lets the person state it again", async () => {
    const client = await clientId();
    const { browser, request, address } = await ask(client);
    await identity.settle(request, { denied: "Lee <Lead> refused it: wrong ticket" });
    expect(await isDecided(browser, address)).toBe(true);
    const refused = await browser.get(address);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("Lee &lt;Lead&gt; refused it: wrong ticket");
    const form = await browser.get(`${address}?again`);
    expect(form.text).toContain("What do you need it for?");
    const sent = await browser.post(`${address}/session`, {
      seal: fieldOf(form, "seal"),
      justification: "the right ticket",
      duration: "1800",
    });
    expect(isWaiting(sent)).toBe(true);
    expect(identity.requests.at(-1)).toMatchObject({ justification: "the right ticket" });
    expect(identity.requests.at(-1)?.sessionId).not.toBe(request.sessionId);
  });

  it("drops the request when the person cancels", async () => {
    const { browser, page, request, address } = await ask(await clientId());
    const { url } = await browser.post(`${address}/cancel`, { seal: fieldOf(page, "seal") });
    expect(url.searchParams.get("error")).toBe("access_denied");
    expect(identity.revocations.at(-1)).toMatchObject({ sessionId: request.sessionId, cause: "person" });
  });

  it("ends the session when the person cancels although it was just approved", async () => {
    const { browser, page, request, address } = await ask(await clientId());
    await identity.settle(request, { granted: { seconds: 1_800 } });
    expect(await isDecided(browser, address)).toBe(true);
    const { url } = await browser.post(`${address}/cancel`, { seal: fieldOf(page, "seal") });
    expect(url.searchParams.get("error")).toBe("access_denied");
    expect(identity.revocations.at(-1)).toMatchObject({ sessionId: request.sessionId, cause: "person" });
  });

  it("runs a script of its own, which everybody may read", async () => {
    const response = await fetch(`${identity.issuer}/waiting.js`);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(await response.text()).toContain("location.replace");
  });
});

describe("who has no page to wait on", () => {
  const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

  it("is a device, which asks until its person's session is approved", async () => {
    const { body: registered } = await register({ redirect_uris: [], grant_types: [deviceGrant] });
    const client = registered["client_id"] ?? "";
    const begun = await fetch(`${identity.issuer}/device/authorize`, {
      method: "POST",
      body: new URLSearchParams({ client_id: client, resource }),
    });
    const device = (await begun.json()) as { device_code: string; user_code: string; expires_in: number };
    expect(device.expires_in).toBe(20 * 60);
    const poll = () => token({ grant_type: deviceGrant, client_id: client, device_code: device.device_code });
    const browser = new Browser();
    const form = await browser.get(`${identity.issuer}/device`);
    const confirm = await browser.post(form.url.href, {
      xsrf: fieldOf(form, "xsrf"),
      user_code: device.user_code,
    });
    const login = await browser.post(form.url.href, {
      xsrf: fieldOf(confirm, "xsrf"),
      user_code: device.user_code,
      confirm: "yes",
    });
    const next = /rel="next" href="([^"]*)"/.exec(login.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const idp = await browser.get(new URL(next, login.url).href);
    const page = await browser.post(idp.url.href, { login: "engineer" });
    expect(isWaiting(await answerSession(browser, page))).toBe(true);
    expect((await poll()).body["error"]).toBe("authorization_pending");
    const request = identity.requests.at(-1);
    if (!request) throw new Error("nothing was asked for");
    await identity.settle(request, { granted: { seconds: 1_800 } });
    expect(await isDecided(browser, page.url.href)).toBe(true);
    expect((await browser.get(page.url.href)).text).toContain("The device is connected");
    const { body } = await poll();
    expect(decodeJwt(body["access_token"] ?? "")).toMatchObject({ sid: request.sessionId });
  });

  it("is a workload, which is refused and told why", async () => {
    const answer = await token({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      client_id: "countersign-workload",
      resource,
      subject_token: await workloadToken(identity.idpIssuer),
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      error: "access_denied",
      error_description: "Another person has to approve this session.",
    });
    expect(identity.requests.at(-1)?.canWait).toBeUndefined();
  });
});

describe("a session that was given more time", () => {
  it("is refreshed beyond its first end with what was issued before, and not beyond its new one", async () => {
    identity.decide = () => ({ granted: { seconds: 6 } });
    const client = await clientId();
    const browser = new Browser();
    const callback = await answerSession(browser, await logIn(browser, authorizeUrl(client)));
    const { body } = await redeem(client, callback);
    const request = identity.requests.at(-1);
    if (!request) throw new Error("nothing was asked for");
    const firstEnd = Number(decodeJwt(body["access_token"] ?? "").exp);
    const secondEnd = firstEnd + 8;
    await identity.extend(request, new Date(secondEnd * 1_000));
    await expect.poll(() => Date.now() / 1_000).toBeGreaterThan(firstEnd + 1);
    const refresh = (refreshToken = "") =>
      token({ grant_type: "refresh_token", client_id: client, refresh_token: refreshToken });
    const refreshed = await refresh(body["refresh_token"]);
    expect(refreshed.status).toBe(200);
    const { exp } = decodeJwt(refreshed.body["access_token"] ?? "");
    expect(Number(exp)).toBeGreaterThan(firstEnd);
    expect(Number(exp)).toBeLessThanOrEqual(secondEnd);
    await expect.poll(() => Date.now() / 1_000).toBeGreaterThan(secondEnd + 1);
    expect((await refresh(refreshed.body["refresh_token"])).body["error"]).toBe("invalid_grant");
  });
});
