import { apiAudience } from "@countersign/contracts";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { Browser, fieldOf, linkIn, type Visit } from "./testing/browser.fixture.js";
import { gatewayUrl, type Running, startIdentity } from "./testing/identity.fixture.js";
import { oauthAt, redirectUri, resource } from "./testing/oauth.fixture.js";
import { startTokenIssuer, type TokenIssuer } from "./testing/token-issuer.fixture.js";

/**
 * The known attacks on OAuth 2 (RFC 6819, RFC 9700, MCP's security best practices), each tried: each is refused, and
 * each leaves a record. Attacks with access tokens are tried where tokens are used, in test/journeys.
 */
let identity: Running;
let partner: TokenIssuer;
beforeAll(async () => {
  partner = await startTokenIssuer();
  identity = await startIdentity({
    brokers: inject("kafkaBrokers"),
    adminUrl: inject("adminDatabaseUrl"),
    tokenIssuer: partner.issuer,
  });
});
afterAll(async () => {
  await identity?.stop();
  partner?.stop();
});
afterEach(() => vi.restoreAllMocks());

const { register, clientId, authorizeUrl, begin, logIn, answerSession, token, redeem, codeFor, facts } =
  oauthAt(() => identity);

/** The words of every refusal that is recorded while something is tried. */
async function recorded(attempt: () => Promise<unknown>): Promise<string[]> {
  const before = (await facts("AuthenticationFailed")).length;
  await attempt();
  return (await facts("AuthenticationFailed"))
    .slice(before)
    .map(({ data }) => (data as { reason: string }).reason);
}

const refresh = (client: string, value: string | undefined) =>
  token({ grant_type: "refresh_token", client_id: client, refresh_token: value ?? "" });

describe("a code that was stolen", () => {
  it.each<[string, Record<string, string>]>([
    ["without its verifier", { code_verifier: "" }],
    ["with a guessed verifier", { code_verifier: "x".repeat(43) }],
    ["at another address", { redirect_uri: "http://127.0.0.1:9/other" }],
    ["for another endpoint", { resource: `${gatewayUrl}/mcp/ledger` }],
    ["for our own API", { resource: apiAudience }],
    ["for an audience that is not ours", { resource: "https://example.com/mcp" }],
  ])("is worth nothing %s", async (_, changes) => {
    const client = await clientId();
    const callback = await codeFor(client);
    const reasons = await recorded(async () => {
      expect((await redeem(client, callback, changes)).body).not.toHaveProperty("access_token");
    });
    expect(reasons).toEqual([expect.stringMatching(/^token: invalid_(grant|target|request)/)]);
  });

  it("is worth nothing to another client", async () => {
    const callback = await codeFor(await clientId());
    const thief = await clientId();
    const reasons = await recorded(() => redeem(thief, callback));
    expect(reasons).toEqual([expect.stringContaining("token: invalid_grant (client mismatch)")]);
  });

  it("is worth nothing the second time, and ends the session of the first", async () => {
    const client = await clientId();
    const callback = await codeFor(client);
    const session = identity.requests.at(-1)?.sessionId;
    await redeem(client, callback);
    const reasons = await recorded(async () => {
      expect((await redeem(client, callback)).body["error"]).toBe("invalid_grant");
    });
    expect(reasons).toEqual([expect.stringContaining("token: invalid_grant")]);
    expect(identity.revocations.at(-1)).toMatchObject({ sessionId: session, cause: "misuse" });
  });
});

describe("proof keys", () => {
  it.each([
    ["left out", { code_challenge: undefined, code_challenge_method: undefined }],
    ["in the clear", { code_challenge_method: "plain" }],
    ["without a method, which means in the clear", { code_challenge_method: undefined }],
  ])("cannot be %s", async (_, changes) => {
    const client = await clientId();
    const reasons = await recorded(async () => {
      const { url } = await new Browser().get(authorizeUrl(client, changes));
      expect(url.searchParams.get("error")).toBe("invalid_request");
    });
    expect(reasons).toEqual([expect.stringContaining("authorization: invalid_request")]);
  });
});

describe("a redirect", () => {
  it.each([
    ["to another host", "https://evil.example/callback"],
    ["to another path", "http://127.0.0.1:9/callback/../steal"],
    ["to a path below", "http://127.0.0.1:9/callback/steal"],
    ["with another query", "http://127.0.0.1:9/callback?to=evil"],
    ["with a fragment", "http://127.0.0.1:9/callback#evil"],
    ["with a user name that looks like a host", "http://127.0.0.1:9@evil.example/callback"],
    ["to a host that begins the same", "http://127.0.0.1.evil.example:9/callback"],
    ["to another name of the same machine", "http://localhost:9/callback"],
    ["to a script", "javascript:alert(1)"],
  ])("does not go %s", async (_, uri) => {
    const client = await clientId();
    const reasons = await recorded(async () => {
      const page = await new Browser().get(authorizeUrl(client, { redirect_uri: uri }));
      expect(page.status).toBe(400);
      expect(page.url.origin).toBe(identity.issuer);
    });
    expect(reasons).toEqual([expect.stringContaining("authorization: invalid_redirect_uri")]);
  });

  it("does not go anywhere after a logout but where a client of ours said", async () => {
    const browser = new Browser();
    const evil = encodeURIComponent("https://evil.example/");
    const page = await browser.get(`${identity.issuer}/logout?post_logout_redirect_uri=${evil}`);
    const done = await browser.post(`${identity.issuer}/logout/confirm`, {
      xsrf: fieldOf(page, "xsrf"),
      logout: "yes",
    });
    expect(done.url.origin).toBe(identity.issuer);
    expect(done.text).toContain("Logged out");
  });
});

describe("answers that are mixed up", () => {
  it("are told apart by the issuer that every answer names, refusals included", async () => {
    const client = await clientId();
    expect((await codeFor(client)).url.searchParams.get("iss")).toBe(identity.issuer);
    const { url } = await new Browser().get(authorizeUrl(client, { prompt: "none" }));
    expect(url.searchParams.get("iss")).toBe(identity.issuer);
  });

  const stateOf = (browser: Browser): string =>
    /countersign_login_([\w-]+)/.exec(browser.names().join())?.[1] ?? "";

  it("of one identity provider are not taken for those of another", async () => {
    const browser = new Browser();
    await begin(browser, authorizeUrl(await clientId()));
    const reasons = await recorded(async () => {
      const page = await browser.get(
        `${identity.issuer}/login/partner/callback?code=c&state=${stateOf(browser)}`,
      );
      expect(page.status).toBe(403);
    });
    expect(reasons).toEqual(["callback: login_unknown"]);
  });

  it("that name another issuer than the one that was asked are refused", async () => {
    const browser = new Browser();
    await begin(browser, authorizeUrl(await clientId()));
    const reasons = await recorded(async () => {
      const at = `${identity.issuer}/login/${identity.providerId}/callback`;
      const page = await browser.get(`${at}?code=c&state=${stateOf(browser)}&iss=https://evil.example`);
      expect(page.status).toBe(403);
    });
    expect(reasons).toEqual([expect.stringContaining("names another identity provider")]);
  });

  it("with a state that nobody gave out are refused", async () => {
    const browser = new Browser();
    await begin(browser, authorizeUrl(await clientId()));
    for (const state of ["", "x", "a".repeat(32), `${stateOf(browser)}x`, `${stateOf(browser)}&state=x`]) {
      const reasons = await recorded(async () => {
        const page = await browser.get(
          `${identity.issuer}/login/${identity.providerId}/callback?code=c&state=${state}`,
        );
        expect(page.status).toBe(403);
      });
      expect(reasons).toEqual(["callback: login_unknown"]);
    }
  });
});

describe("a refresh token", () => {
  it("that comes back after it was replaced and repeated ends the session, for the thief and for the client", async () => {
    const client = await clientId();
    const first = await redeem(client, await codeFor(client));
    const session = identity.requests.at(-1)?.sessionId;
    const second = await refresh(client, first.body["refresh_token"]);
    expect((await refresh(client, first.body["refresh_token"])).status).toBe(200);
    const reasons = await recorded(async () => {
      expect((await refresh(client, first.body["refresh_token"])).body["error"]).toBe("invalid_grant");
      expect((await refresh(client, second.body["refresh_token"])).body["error"]).toBe("invalid_grant");
    });
    expect(reasons).toHaveLength(2);
    expect(identity.revocations.at(-1)).toMatchObject({ sessionId: session, cause: "misuse" });
  });

  it("is worth nothing to another client", async () => {
    const client = await clientId();
    const { body } = await redeem(client, await codeFor(client));
    const thief = await clientId();
    const reasons = await recorded(() => refresh(thief, body["refresh_token"]));
    expect(reasons).toEqual([expect.stringContaining("client mismatch")]);
  });

  it("is worth nothing once the person lost a group, and so is the session", async () => {
    const client = await clientId();
    const { body } = await redeem(client, await codeFor(client));
    const session = identity.requests.at(-1)?.sessionId;
    const still = await refresh(client, body["refresh_token"]);
    expect(still.status).toBe(200);
    identity.setGroups("engineer", []);
    const reasons = await recorded(async () => {
      expect(await refresh(client, still.body["refresh_token"])).toMatchObject({
        status: 400,
        body: { error: "invalid_grant" },
      });
    });
    identity.setGroups("engineer", ["payments-engineers"]);
    expect(reasons).toEqual([expect.stringContaining("does not vouch for all groups")]);
    expect(identity.revocations.at(-1)).toMatchObject({ sessionId: session, cause: "groups" });
  });
});

describe("a client's description", () => {
  it.each([
    ["on this machine", "https://localhost/client.json"],
    ["at an address of this machine", "https://127.0.0.1/client.json"],
    ["at another spelling of it", "https://2130706433/client.json"],
    ["in a private network", "https://10.0.0.1/client.json"],
    ["at a cloud's metadata", "https://169.254.169.254/latest/meta-data"],
    ["at an IPv6 address", "https://[::1]/client.json"],
    ["at an IPv4 address in IPv6", "https://[::ffff:10.0.0.1]/client.json"],
    ["at another port", "https://example.com:22/client.json"],
    ["with credentials", "https://user:password@example.com/client.json"],
    ["in the clear", "http://example.com/client.json"],
  ])("is not fetched %s", async (_, id) => {
    const reasons = await recorded(async () => {
      const page = await new Browser().get(authorizeUrl(id));
      expect(page.status).toBe(400);
    });
    expect(reasons).toEqual([expect.stringContaining("authorization: invalid_client")]);
  });
});

describe("a person's agreement", () => {
  const loggedIn = async (client: string): Promise<{ browser: Browser; page: Visit }> => {
    const browser = new Browser();
    return { browser, page: await logIn(browser, authorizeUrl(client)) };
  };

  it("to be logged in for a client cannot be skipped or forged", async () => {
    const browser = new Browser();
    const page = await browser.get(authorizeUrl(await clientId()));
    const at = `${page.url.href}/login/${identity.providerId}`;
    for (const seal of ["", "?seal=", "?seal=e30.AAAA", "?seal=a&seal=b"]) {
      const reasons = await recorded(async () => {
        expect((await browser.get(at + seal)).status).toBe(403);
      });
      expect(reasons).toEqual(["login: form_refused"]);
    }
    expect((await new Browser().get(linkIn(page) ?? "")).status).toBe(400);
  });

  it("to a session cannot be skipped by going on to the answer", async () => {
    const { browser, page } = await loggedIn(await clientId());
    const uid = page.url.pathname.split("/").at(-1) ?? "";
    const { url, text } = await browser.get(`${identity.issuer}/authorize/${uid}`);
    expect(url.searchParams.get("code")).toBeNull();
    expect(text).toContain("What do you need it for?");
  });

  it("to a session cannot be forged by another site", async () => {
    const { browser, page } = await loggedIn(await clientId());
    const before = identity.requests.length;
    const reasons = await recorded(async () => {
      expect((await answerSession(browser, page, { seal: "" })).status).toBe(403);
    });
    expect(reasons).toEqual(["session: form_refused"]);
    expect(identity.requests.length).toBe(before);
  });

  it("to our own API cannot be had with the agreement to an endpoint", async () => {
    const { browser, page } = await loggedIn(await clientId());
    const reasons = await recorded(async () => {
      const answered = await browser.post(`${page.url.href}/consent`, { seal: fieldOf(page, "seal") });
      expect(answered.status).toBe(403);
    });
    expect(reasons).toEqual(["consent: form_refused"]);
  });

  it("cannot be had by a frame around the page: no page of ours can be framed or scripted", async () => {
    const client = await clientId();
    const { browser, page } = await loggedIn(client);
    const pages = [
      page,
      await browser.get(identity.issuer),
      await browser.get(`${identity.issuer}/logout`),
      await new Browser().get(authorizeUrl(client)),
      await new Browser().get(authorizeUrl("nobody")),
      await new Browser().get(page.url.href),
    ];
    for (const { headers, text } of pages) {
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|script-src/);
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(text).not.toContain("<script");
    }
  });
});

describe("a flood of registrations or requests", () => {
  it("ends at the bound of its address, and is recorded once", async () => {
    const small = await startIdentity({
      brokers: inject("kafkaBrokers"),
      adminUrl: inject("adminDatabaseUrl"),
      env: { REGISTRATIONS_PER_HOUR: "5", CLIENTS_MAX: "7" },
    });
    try {
      const statuses = await Promise.all(
        Array.from({ length: 20 }, async () => (await registerAt(small.issuer)).status),
      );
      expect(statuses.filter((status) => status === 201)).toHaveLength(5);
      expect(statuses.filter((status) => status === 429)).toHaveLength(15);
      const flood = async () =>
        (await small.facts()).filter(
          ({ type, data }) =>
            type === "AuthenticationFailed" && (data as { reason: string }).reason.includes("registration"),
        );
      await expect.poll(flood).toHaveLength(1);
    } finally {
      await small.stop();
    }
  });

  it("and of anything else, such as guesses at the token endpoint, ends and is recorded once, too", async () => {
    const small = await startIdentity({
      brokers: inject("kafkaBrokers"),
      adminUrl: inject("adminDatabaseUrl"),
      env: { REQUESTS_PER_MINUTE: "5" },
    });
    try {
      const body = () =>
        new URLSearchParams({ grant_type: "refresh_token", client_id: "x", refresh_token: "guess" });
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => fetch(`${small.issuer}/token`, { method: "POST", body: body() })),
      );
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(7);
      expect(refused[0]?.headers.get("retry-after")).toMatch(/^\d+$/);
      expect((await fetch(`${small.issuer}/healthz`)).status).toBe(200);
      const flood = async () =>
        (await small.facts()).filter(
          ({ type, data }) =>
            type === "AuthenticationFailed" &&
            (data as { reason: string }).reason.includes("too many requests"),
        );
      await expect.poll(flood).toHaveLength(1);
    } finally {
      await small.stop();
    }
  });

  it("ends at the bound of all addresses together", async () => {
    const small = await startIdentity({
      brokers: inject("kafkaBrokers"),
      adminUrl: inject("adminDatabaseUrl"),
      env: { CLIENTS_MAX: "3" },
    });
    try {
      const statuses: number[] = [];
      for (let count = 0; count < 5; count += 1) statuses.push((await registerAt(small.issuer)).status);
      expect(statuses).toEqual([201, 201, 201, 503, 503]);
    } finally {
      await small.stop();
    }
  });

  const registerAt = (issuer: string) =>
    fetch(`${issuer}/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: "none" }),
    });
});

it("registers nothing that asks for more than a public client may have", async () => {
  const { body } = await register({
    grant_types: ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange", "implicit"],
    token_endpoint_auth_method: "private_key_jwt",
    jwks_uri: "http://169.254.169.254/",
    sector_identifier_uri: "https://169.254.169.254/",
    backchannel_logout_uri: "http://169.254.169.254/",
    client_id: "countersign-console",
  });
  expect(body).toMatchObject({ grant_types: ["authorization_code"], token_endpoint_auth_method: "none" });
  expect(body["client_id"]).not.toBe("countersign-console");
  expect(JSON.stringify(body)).not.toContain("169.254");
  expect(resource).toBeTruthy();
});
