import { readFileSync } from "node:fs";
import { join } from "node:path";
import { apiAudience } from "@countersign/contracts";
import { apiTokenOf, callApi, callTool, type ConnectedClient, connectAs } from "@countersign/local";
import type { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { decodeJwt, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTopics } from "./read-topics.js";
import { startTestSuite } from "./suite.fixture.js";

const trials = 20;
const revocationMsMax = 1_000;
/** What a machine that is busy with other things may take. */
const latestMsMax = 10_000;

let suite: Awaited<ReturnType<typeof startTestSuite>>;
let administrator: string;
beforeAll(async () => {
  suite = await startTestSuite();
  administrator = await apiTokenOf("admin", suite.urls.identity);
});
afterAll(() => suite?.forget());

const endpoint = () => `${suite.urls.proxy}/mcp/payments`;
const connect = (account = "engineer") => connectAs(account, endpoint(), "INC-7: sessions that end");
const sessionOf = ({ token }: ConnectedClient): string => String(decodeJwt(token)["sid"]);

const post = (token: string) => send(token, { method: "ping" });

const statusOf = async (token: string): Promise<number> => (await post(token)).status;

const send = (token: string, message: object, headers: Record<string, string> = {}) =>
  fetch(endpoint(), {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 77, ...message }),
  });

/** A stream that says something every half second for a minute; `ended` is the moment at which it ended. */
async function openStream({ token, client }: ConnectedClient): Promise<{ ended: Promise<number> }> {
  const transport = client.transport as StreamableHTTPClientTransport;
  const response = await send(
    token,
    {
      method: "tools/call",
      params: {
        name: "slow_report",
        arguments: { duration_ms: 50_000, steps: 100 },
        _meta: { progressToken: 1 },
      },
    },
    {
      ...(transport.sessionId === undefined ? {} : { "mcp-session-id": transport.sessionId }),
      "mcp-protocol-version": transport.protocolVersion ?? "",
    },
  );
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(Buffer.from(first?.value ?? []).toString()).toContain("notifications/progress");
  const drained = async (): Promise<number> => {
    for (;;) {
      const chunk = await reader?.read().catch(() => undefined);
      if (chunk === undefined || chunk.done) return Date.now();
    }
  };
  return { ended: drained() };
}

describe("a revocation", () => {
  it(`reaches open streams within ${revocationMsMax} ms in the median of ${trials} times`, async () => {
    const took: number[] = [];
    for (let trial = 0; trial < trials; trial += 1) {
      const connected = await connect();
      const { ended } = await openStream(connected);
      const asked = Date.now();
      const revoke = `${suite.urls["session-broker"]}/sessions/${sessionOf(connected)}/revoke`;
      const { status } = await callApi(administrator, revoke, { reason: "trial" });
      expect(status).toBe(200);
      took.push((await ended) - asked);
      expect((await post(connected.token)).status).toBe(401);
      await connected.close().catch(() => undefined);
    }
    const sorted = took.toSorted((a, b) => a - b);
    expect(sorted[trials / 2], `in ms: ${took.join(", ")}`).toBeLessThan(revocationMsMax);
    expect(sorted.at(-1)).toBeLessThan(latestMsMax);
  });

  it("of all that a person has, and of all on an endpoint, ends each", async () => {
    for (const whom of [{ principal: "company:engineer" }, { endpoint: "payments" }]) {
      const open = [await connect(), await connect()];
      const { status, json } = await callApi(
        administrator,
        `${suite.urls["session-broker"]}/sessions/revoke`,
        {
          ...whom,
          reason: "left",
        },
      );
      expect(status).toBe(200);
      expect(json.revoked).toBeGreaterThanOrEqual(open.length);
      for (const { token } of open) await expect.poll(() => statusOf(token)).toBe(401);
      await Promise.all(open.map((one) => one.close().catch(() => undefined)));
    }
  });
});

/** Tokens that are signed with the right key, or none, and still open nothing. */
describe("an access token", () => {
  let engineer: ConnectedClient;
  let honest: JWTPayload;
  beforeAll(async () => {
    engineer = await connect();
    honest = decodeJwt(engineer.token);
  });
  afterAll(() => engineer?.close().catch(() => undefined));

  const key = () => {
    const file = join(suite.dataDir, "secrets", "identity-keys.json");
    const { keys } = JSON.parse(readFileSync(file, "utf8")) as { keys: [{ kid: string }] };
    return keys[0];
  };
  const sign = async (claims: JWTPayload, header: Record<string, string> = {}) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: key().kid, ...header })
      .sign(await importJWK(key(), "ES256"));
  const now = () => Math.floor(Date.now() / 1_000);

  it("that is honest opens the endpoint", async () => {
    expect((await callTool(engineer, "get_transaction", { transaction_id: "txn_2001" })).failed).toBe(false);
    expect((await post(await sign(honest))).status).not.toBe(401);
  });

  it.each<[string, () => Promise<string>]>([
    ["is for another audience", () => sign({ ...honest, aud: "https://example.com/mcp" })],
    ["is for another endpoint", () => sign({ ...honest, aud: `${suite.urls.proxy}/mcp/ledger` })],
    ["is for our own API", () => sign({ ...honest, aud: apiAudience })],
    ["belongs to nobody's session", () => sign({ ...honest, sid: "019ab000-0000-7000-8000-000000000000" })],
    ["is for no session", () => sign({ ...honest, sid: undefined })],
    ["names another person than its session", () => sign({ ...honest, sub: "company:admin" })],
    ["names another client than its session", () => sign({ ...honest, client_id: "another" })],
    ["has expired", () => sign({ ...honest, exp: now() - 60 })],
    ["never expires", () => sign({ ...honest, exp: undefined })],
    ["is not valid yet", () => sign({ ...honest, nbf: now() + 60 })],
    ["is by another issuer", () => sign({ ...honest, iss: "https://evil.example" })],
    ["is an ID token", () => sign(honest, { typ: "JWT" })],
    ["is signed by nobody", async () => new UnsecuredJWT(honest).encode()],
    [
      "says that it is signed by nobody",
      async () => {
        const [, payload] = (await sign(honest)).split(".");
        return `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url")}.${payload}.`;
      },
    ],
    [
      "is signed with the public key as a secret",
      async () => {
        const jwks = await (await fetch(`${suite.urls.identity}/jwks`)).text();
        return new SignJWT(honest)
          .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: key().kid })
          .sign(Buffer.from(jwks));
      },
    ],
    [
      "was altered",
      async () => {
        const [header, payload, signature] = (await sign(honest)).split(".");
        const altered = {
          ...JSON.parse(Buffer.from(payload ?? "", "base64url").toString()),
          sub: "company:admin",
        };
        return `${header}.${Buffer.from(JSON.stringify(altered)).toString("base64url")}.${signature}`;
      },
    ],
  ])("that %s is refused, and that is recorded", async (_, make) => {
    const before = await refusals();
    const response = await post(await make());
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain("resource_metadata=");
    expect(await refusals()).toBe(before + 1);
  });

  it("of another session of the same person opens that one alone", async () => {
    const other = await connect();
    await callApi(administrator, `${suite.urls["session-broker"]}/sessions/${sessionOf(other)}/revoke`, {
      reason: "trial",
    });
    await expect.poll(() => statusOf(other.token)).toBe(401);
    expect((await post(engineer.token)).status).not.toBe(401);
    await other.close().catch(() => undefined);
  });

  const refusals = async (): Promise<number> =>
    (await readTopics(suite.brokers, ["mcp.traffic"])).filter(
      ({ event }) =>
        event.type === "CallRefused" &&
        ["token_invalid", "session_unknown"].includes((event.data as { reason: string }).reason),
    ).length;
});
