import { randomBytes } from "node:crypto";
import type { Request, Response } from "express";
import { cookieOf } from "../cookies.js";
import { privateUseScheme } from "../domain/redirect-uri.js";
import type { OidcStore } from "../store/oidc-store.js";

/** Which client wants what to be sent where. */
export interface AskingClient {
  readonly clientId: string;
  readonly redirectUri: string | undefined;
}

const daysMax = 90;
const cookie = "countersign_browser";

/**
 * Remembers which clients a person agreed to be logged in for. Anybody may register a client, and the company's
 * identity provider asks nobody who is logged in there already; so without this, a link to our own authorization
 * endpoint would be enough for a stranger's client to begin in a person's name. The person's agreement comes before the
 * redirect (MCP, Security Best Practices, "Confused Deputy Problem"), is kept by the browser that gave it, and belongs
 * to one client and one place that the answer goes to.
 */
export class ClientConsents {
  constructor(
    private readonly store: Pick<OidcStore, "find" | "upsert">,
    private readonly secure: boolean,
  ) {}

  async isGiven(request: Request, client: AskingClient): Promise<boolean> {
    const browser = browserOf(request);
    return browser !== undefined && (await this.store.find(idOf(browser, client))) !== undefined;
  }

  async give(request: Request, response: Response, client: AskingClient): Promise<void> {
    const browser = browserOf(request) ?? randomBytes(32).toString("base64url");
    await this.#keep(browser, client, {});
    response.cookie(cookie, browser, {
      path: "/",
      httpOnly: true,
      sameSite: "lax",
      secure: this.secure,
      maxAge: daysMax * 86_400_000,
    });
  }

  /** Puts the person's name to what their browser agreed to. */
  async sign(request: Request, client: AskingClient, accountId: string): Promise<void> {
    const browser = browserOf(request);
    if (browser !== undefined) await this.#keep(browser, client, { accountId });
  }

  async #keep(browser: string, client: AskingClient, more: object): Promise<void> {
    const given = { clientId: client.clientId, answersTo: placeOf(client), ...more };
    await this.store.upsert(idOf(browser, client), given, daysMax * 86_400);
  }
}

/**
 * The port of a program on the person's own machine is another one each time (RFC 8252 §7.3). A scheme is part of the
 * place where it alone decides which program is opened.
 */
const placeOf = ({ redirectUri }: AskingClient): string => {
  if (redirectUri === undefined) return "device";
  const { protocol, hostname, host } = new URL(redirectUri);
  if (privateUseScheme(redirectUri) !== undefined) return `${protocol}${host}`;
  return protocol === "http:" ? hostname : host;
};

const idOf = (browser: string, client: AskingClient): string =>
  `${browser} ${placeOf(client)} ${client.clientId}`;

function browserOf(request: Request): string | undefined {
  const value = cookieOf(request, cookie);
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}
