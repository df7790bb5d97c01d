import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { GatewayFixture } from "./testing/gateway.fixture.js";

const origin = "https://agents.example";
let gateway: GatewayFixture;

beforeAll(async () => {
  gateway = new GatewayFixture(inject("kafkaBrokers"), { allowedOrigins: [origin] });
  await gateway.start();
});
afterAll(() => gateway?.stop());

const ping = { jsonrpc: "2.0", id: 1, method: "tools/list" } as const;

const preflight = (
  from: string,
  path = `/mcp/${gateway.endpointName}`,
  asks = "authorization,content-type",
) =>
  fetch(`${gateway.url}${path}`, {
    method: "OPTIONS",
    headers: {
      origin: from,
      "access-control-request-method": "POST",
      "access-control-request-headers": asks,
    },
  });

const corsOf = (response: Response): Record<string, string> =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith("access-control-")));

describe("a page of another origin", () => {
  it("that is not listed is told nothing, neither before a call nor by its refusal", async () => {
    for (const from of ["https://evil.example", "null", `${origin}.evil.example`]) {
      const asked = await preflight(from);
      expect([asked.status, corsOf(asked)]).toEqual([404, {}]);
      const { token } = await gateway.session();
      const refused = await gateway.post(token, ping, { origin: from });
      expect([refused.status, corsOf(refused)]).toEqual([403, {}]);
    }
  });

  it("that is listed may send what MCP sends, and is told so for its origin alone", async () => {
    const asks = "authorization,mcp-param-city,x-trace,x-other,cookie";
    const { status, headers } = await preflight(origin, undefined, asks);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(origin);
    expect(headers.get("vary")).toMatch(/origin/i);
    expect(headers.get("access-control-allow-methods")).toBe("GET, POST, DELETE");
    expect(headers.get("access-control-allow-headers")?.split(", ")).toEqual([
      "authorization",
      "content-type",
      "accept",
      "mcp-protocol-version",
      "mcp-session-id",
      "last-event-id",
      "mcp-method",
      "mcp-name",
      "mcp-param-city",
      "x-trace",
    ]);
    expect(headers.get("access-control-max-age")).toBe("600");
    expect(headers.has("access-control-allow-credentials")).toBe(false);
  });

  it("is no call by asking: nothing is recorded and nothing reaches the server", async () => {
    const before = gateway.upstream.received.length;
    const records = gateway.traffic.length;
    await preflight(origin);
    await preflight(origin, "/mcp/no-such-endpoint");
    expect(gateway.upstream.received.length).toBe(before);
    expect(gateway.traffic.length).toBe(records);
  });

  it("reads answers, streams and the invitation to log in", async () => {
    const { token } = await gateway.session();
    const headers = { origin };
    gateway.upstream.respond = (_, response) => {
      const answer = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: [] } });
      response.writeHead(200, { "content-type": "text/event-stream" }).end(`data: ${answer}\n\n`);
    };
    const answers = [
      await gateway.post(undefined, ping, headers),
      await gateway.post(token, "no json", headers),
      await gateway.post(token, ping, headers),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 400, 200]);
    for (const answer of answers) {
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("access-control-expose-headers")).toContain("www-authenticate");
      expect(answer.headers.get("vary")).toMatch(/origin/i);
    }
  });

  it("finds out how to log in from anywhere", async () => {
    const path = `/.well-known/oauth-protected-resource/mcp/${gateway.endpointName}`;
    const asked = await preflight("https://anywhere.example", path, "mcp-protocol-version");
    expect(asked.status).toBe(204);
    expect(corsOf(asked)).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "mcp-protocol-version",
    });
    const found = await fetch(`${gateway.url}${path}`, { headers: { origin: "https://anywhere.example" } });
    expect(found.headers.get("access-control-allow-origin")).toBe("*");
  });
});
