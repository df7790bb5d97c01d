import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningDevIdp, startDevIdp } from "./dev-idp.js";

const client = { id: "countersign", secret: "a-secret", redirectUri: "http://127.0.0.1:1/callback" };

/** Follows redirects on the provider with a cookie jar, as a script would, until it leads to the client. */
class Browser {
  readonly #cookies = new Map<string, string>();

  async open(url: string, form?: Record<string, string>): Promise<{ response: Response; url: string }> {
    for (let hop = 0; hop < 10; hop += 1) {
      const response: Response = await fetch(url, {
        redirect: "manual",
        headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
        ...(form && hop === 0 ? { method: "POST", body: new URLSearchParams(form) } : {}),
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === "") this.#cookies.delete(name);
        else this.#cookies.set(name, value);
      }
      const location = response.headers.get("location");
      if (!location) return { response, url };
      url = new URL(location, url).href;
      if (url.startsWith(client.redirectUri)) return { response, url };
    }
    throw new Error("too many redirects");
  }
}

describe("the development identity provider", () => {
  let idp: RunningDevIdp;
  beforeAll(async () => {
    idp = await startDevIdp({ port: 0, client, workloadSecret: "ci-secret", autoLogin: true });
  });
  afterAll(() => idp.stop());

  const authorizeUrl = (extra: Record<string, string> = {}) =>
    `${idp.issuer}/auth?` +
    new URLSearchParams({
      client_id: client.id,
      response_type: "code",
      redirect_uri: client.redirectUri,
      scope: "openid profile email groups",
      state: "s",
      nonce: "n",
      ...extra,
    }).toString();

  const token = async (form: Record<string, string>) => {
    const response = await fetch(`${idp.issuer}/token`, { method: "POST", body: new URLSearchParams(form) });
    const body: Record<string, string> = JSON.parse(await response.text());
    return { status: response.status, body };
  };

  const redeem = (callback: string) =>
    token({
      grant_type: "authorization_code",
      code: new URL(callback).searchParams.get("code") ?? "",
      redirect_uri: client.redirectUri,
      client_id: client.id,
      client_secret: client.secret,
    });

  it("does not listen on another machine's address unless told to", async () => {
    await expect(startDevIdp({ port: 0, host: "0.0.0.0", client })).rejects.toThrow("asks for no password");
  });

  it("refuses a redirect address that is not the client's", async () => {
    const { response } = await new Browser().open(authorizeUrl({ redirect_uri: "http://127.0.0.1:1/other" }));
    expect(response.status).toBe(400);
    expect(response.headers.get("location")).toBeNull();
  });

  it("refuses an account that does not exist", async () => {
    const browser = new Browser();
    const { url } = await browser.open(authorizeUrl());
    const { response } = await browser.open(url, { login: "root" });
    expect(response.status).toBe(400);
  });

  it("asks to start again where the login is not known any more", async () => {
    const { response } = await new Browser().open(`${idp.issuer}/login/forgotten`);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("start again")]);
  });

  it("refuses a client with the wrong secret", async () => {
    const { status } = await token({
      grant_type: "client_credentials",
      client_id: "ci-payments",
      client_secret: "wrong",
    });
    expect(status).toBe(401);
  });

  it("refuses a workload token for another audience", async () => {
    const { status, body } = await token({
      grant_type: "client_credentials",
      client_id: "ci-payments",
      client_secret: "ci-secret",
      resource: "urn:other",
    });
    expect([status, body["error"]]).toEqual([400, "invalid_target"]);
  });

  it("says on its page that it is for development only", async () => {
    const { response } = await new Browser().open(authorizeUrl());
    expect(await response.text()).toContain("For development only.");
  });

  it("logs one browser in as several people, one after another", async () => {
    const browser = new Browser();
    for (const [login, group] of [
      ["engineer", "payments-engineers"],
      ["lead", "payments-leads"],
      ["auditor", "auditors"],
      ["admin", "administrators"],
    ] as const) {
      const page = await browser.open(authorizeUrl());
      const { url } = await browser.open(page.url, { login });
      const { body } = await redeem(url);
      expect(decodeJwt(body["id_token"] ?? "")).toMatchObject({
        iss: idp.issuer,
        sub: login,
        email: `${login}@example.com`,
        groups: [group],
        amr: ["pwd", "mfa"],
        auth_time: expect.any(Number),
        nonce: "n",
      });
      const userinfo = await fetch(`${idp.issuer}/me`, {
        headers: { authorization: `Bearer ${body["access_token"]}` },
      });
      expect(await userinfo.json()).toMatchObject({ sub: login, groups: [group] });
    }
  });

  it("logs in whom login_hint names where that is switched on", async () => {
    const { url } = await new Browser().open(authorizeUrl({ login_hint: "lead" }));
    const { body } = await redeem(url);
    expect(decodeJwt(body["id_token"] ?? "").sub).toBe("lead");
  });

  it("gives a pipeline a signed token that names its group", async () => {
    const { body } = await token({
      grant_type: "client_credentials",
      client_id: "ci-payments",
      client_secret: "ci-secret",
    });
    const keys = createRemoteJWKSet(new URL(`${idp.issuer}/jwks`));
    const { payload } = await jwtVerify(body["access_token"] ?? "", keys, {
      issuer: idp.issuer,
      audience: "urn:countersign",
    });
    expect(payload).toMatchObject({ sub: "ci-payments", groups: ["payments-ci"] });
  });
});
