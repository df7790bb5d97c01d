import { createHash, randomBytes } from "node:crypto";
import { EventLog, LogUnavailable } from "@countersign/service-kit";
import { expect, vi } from "vitest";
import { Browser, fieldOf, linkIn, type Visit } from "./browser.fixture.js";
import { gatewayUrl, type Running } from "./identity.fixture.js";

export const redirectUri = "http://127.0.0.1:9/callback";
export const resource = `${gatewayUrl}/mcp/payments`;

/** What clients and people do with the identity service, step by step. */
class OAuthSteps {
  constructor(private readonly identity: () => Running) {}

  readonly register = async (metadata: Record<string, unknown> = {}) => {
    const response = await fetch(`${this.identity().issuer}/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: "Inspector",
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
        token_endpoint_auth_method: "client_secret_basic",
        scope: "openid email profile",
        ...metadata,
      }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };

  readonly clientId = async () => (await this.register()).body["client_id"] ?? "";

  readonly #verifier = randomBytes(32).toString("base64url");
  readonly #challenge = createHash("sha256").update(this.#verifier).digest("base64url");

  readonly authorizeUrl = (client: string, changes: Record<string, string | undefined> = {}) => {
    const params = {
      client_id: client,
      redirect_uri: redirectUri,
      response_type: "code",
      code_challenge: this.#challenge,
      code_challenge_method: "S256",
      resource,
      state: "s",
      ...changes,
    };
    const given = Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return `${this.identity().issuer}/authorize?${new URLSearchParams(given).toString()}`;
  };

  /** Agrees to be logged in for the client, where that is asked, and lands at the identity provider. */
  readonly begin = async (browser: Browser, url: string) => {
    const page = await browser.get(url);
    const next = linkIn(page);
    return next === undefined ? page : browser.get(next);
  };

  /** Logs in at the identity provider and lands on the page that asks. */
  readonly logIn = async (browser: Browser, url: string, login = "engineer") => {
    const form = await this.begin(browser, url);
    expect(form.text).toContain("Who are you today?");
    return browser.post(form.url.href, { login });
  };

  readonly answerSession = (browser: Browser, page: Visit, changes: Record<string, string> = {}) =>
    browser.post(`${page.url.href}/session`, {
      seal: fieldOf(page, "seal"),
      justification: "Chargeback investigation",
      duration: "1800",
      ...changes,
    });

  readonly token = async (form: Record<string, string>) => {
    const response = await fetch(`${this.identity().issuer}/token`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };

  readonly redeem = (client: string, callback: Visit, changes: Record<string, string> = {}) =>
    this.token({
      grant_type: "authorization_code",
      client_id: client,
      code: callback.url.searchParams.get("code") ?? "",
      redirect_uri: redirectUri,
      code_verifier: this.#verifier,
      resource,
      ...changes,
    });

  /** A whole login, up to the code. */
  readonly codeFor = async (client: string, browser = new Browser(), login = "engineer") =>
    this.answerSession(browser, await this.logIn(browser, this.authorizeUrl(client), login));

  readonly facts = async (type: string) =>
    (await this.identity().facts()).filter((fact) => fact.type === type);

  readonly kafkaRefuses = () =>
    vi
      .spyOn(this.identity().app.get(EventLog), "append")
      .mockRejectedValue(new LogUnavailable("no acknowledgement"));
}

/** Each step by its name; they may be taken apart. */
export const oauthAt = (identity: () => Running): OAuthSteps => new OAuthSteps(identity);
