import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Endpoint } from "@countersign/contracts";
import { createLogger, Metrics } from "@countersign/service-kit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ProxyConfig } from "../config.js";
import { failuresMax } from "./circuit-breaker.js";
import { alive } from "./stdio/alive.fixture.js";
import { Upstreams } from "./upstreams.js";

const secret = "canary-secret-5f2a";
let server: Server;
let origin: string;
let respond: (path: string, response: ServerResponse, authorization: string) => void;
let logLines: string[];
let metrics: Metrics;
let upstreams: Upstreams;

beforeEach(async () => {
  logLines = [];
  metrics = new Metrics("test");
  process.env["TEST_UPSTREAM_SECRET"] = secret;
  server = createServer((request, response) => {
    request
      .resume()
      .on("end", () => respond(request.url ?? "", response, request.headers.authorization ?? ""));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = createLogger("test", "debug", { write: (line) => void logLines.push(line) });
  const config = {
    STDIO_COMMANDS: [process.execPath],
    PATH: process.env["PATH"],
    VAULT_ADDR: origin,
    VAULT_TOKEN: "canary-vault-token",
  } as unknown as ProxyConfig;
  upstreams = new Upstreams(config, log, metrics);
});
afterEach(async () => {
  await upstreams.close();
  server.closeAllConnections();
  server.close();
  const told = logLines.join("") + (await metrics.registry.metrics());
  if (told.includes("canary")) throw new Error("a secret is in the log or in the metrics");
});

type Credential = Extract<Endpoint["upstream"], { url: string }>["credential"];
const endpoint = (credential: Credential, url = `${origin}/mcp`): Endpoint =>
  ({
    name: "cards",
    upstream: { url, credential, timeoutSeconds: 5, forwardHeaders: [] },
    messageBytesMax: 10_000,
  }) as unknown as Endpoint;
const bearer: Credential = { type: "bearer", token: { env: "TEST_UPSTREAM_SECRET" } };
const send = (given: Endpoint, signal = AbortSignal.timeout(15_000)) =>
  upstreams.send(given, {
    httpMethod: "POST",
    listens: false,
    headers: {},
    body: Buffer.from('{"jsonrpc":"2.0","id":1,"method":"initialize"}'),
    signal,
    session: { id: "s", ended: new AbortController().signal },
  });
const failureOf = async (given: Endpoint) => {
  const error: unknown = await send(given).catch((error: unknown) => error);
  return error as { code: string; sent: boolean; message: string };
};
const measured = async (line: string) => (await metrics.registry.metrics()).includes(line);

describe("the upstreams", () => {
  it("give an endpoint a rest that failed several times in a row, and no other one", async () => {
    respond = (path, response) => (path === "/mcp" ? response.destroy() : response.end("{}"));
    let asked = 0;
    server.on("request", () => (asked += 1));
    for (let i = 0; i < failuresMax; i++) {
      expect(await failureOf(endpoint(bearer))).toMatchObject({ code: "upstream_broke_off", sent: true });
    }
    expect(await failureOf(endpoint(bearer))).toMatchObject({ code: "upstream_unavailable", sent: false });
    expect(asked).toBe(failuresMax);
    expect(await measured('countersign_upstream_resting{endpoint="cards",service="test"} 1')).toBe(true);
    const other = { ...endpoint(bearer, `${origin}/fine`), name: "other" };
    expect((await send(other)).status).toBe(200);
  });

  it("do not hold an answer of any status against an endpoint", async () => {
    respond = (_, response) => response.writeHead(503).end();
    for (let i = 0; i <= failuresMax; i++) expect((await send(endpoint(bearer))).status).toBe(503);
  });

  it("do not hold a slow answer or a client that left against an endpoint", async () => {
    respond = () => undefined;
    for (let i = 0; i < failuresMax; i++) {
      await expect(send(endpoint(bearer), AbortSignal.timeout(20))).rejects.toMatchObject({ sent: true });
    }
    respond = (_, response) => response.end("{}");
    expect((await send(endpoint(bearer))).status).toBe(200);
  });

  it.each<[string, Credential, string]>([
    ["a variable", { type: "bearer", token: { env: "TEST_NOT_SET" } }, "secret_missing"],
    ["a file", { type: "basic", username: "u", password: { file: "/nowhere/p" } }, "secret_missing"],
    [
      "Vault",
      { type: "header", name: "x-key", value: { vault: { path: "a/b", field: "c" } } },
      "vault_refused",
    ],
    [
      "a token endpoint",
      {
        type: "oauth",
        tokenUrl: "http://127.0.0.1:1/token",
        clientId: "c",
        clientSecret: { env: "TEST_UPSTREAM_SECRET" },
      },
      "token_endpoint_unavailable",
    ],
  ])(
    "forward nothing without the credential from %s, loudly, until it is there again",
    async (_, credential, code) => {
      let forwarded = 0;
      respond = (path, response) => {
        if (path === "/mcp") forwarded += 1;
        response.writeHead(path === "/mcp" ? 200 : 503).end("{}");
      };
      const failure = await failureOf(endpoint(credential));
      expect(failure).toMatchObject({ code: "upstream_credential_failed", sent: false });
      expect(forwarded).toBe(0);
      expect(upstreams.credentialProblems).toBe(`cards: ${code}`);
      expect(logLines.join("")).toContain(code);
      expect(
        await measured('countersign_upstream_credential_failures_total{endpoint="cards",service="test"} 1'),
      ).toBe(true);
      await send(endpoint(bearer));
      expect([forwarded, upstreams.credentialProblems]).toEqual([1, undefined]);
    },
  );

  it("are loud about a credential that an upstream refuses", async () => {
    respond = (_, response) => response.writeHead(401).end();
    expect((await send(endpoint(bearer))).status).toBe(401);
    expect(upstreams.credentialProblems).toBe("cards: upstream_credential_refused");
  });

  it("tell of a renewal that fails ahead of time until one works, whatever is answered meanwhile", async () => {
    let tokenStatus = 200;
    respond = (path, response) => {
      const token = { access_token: "t", token_type: "Bearer", expires_in: 3_600 };
      response.writeHead(path === "/token" ? tokenStatus : 200).end(JSON.stringify(token));
    };
    const given = endpoint({
      type: "oauth",
      tokenUrl: `${origin}/token`,
      clientId: "c",
      clientSecret: { env: "TEST_UPSTREAM_SECRET" },
    });
    const clock = performance.now.bind(performance);
    let aheadMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => clock() + aheadMs);
    try {
      await send(given);
      expect(upstreams.credentialProblems).toBeUndefined();
      tokenStatus = 503;
      aheadMs = 3_570_000;
      await send(given);
      await expect.poll(() => upstreams.credentialProblems).toBe("cards: token_refused");
      for (let i = 0; i < 3; i++) expect((await send(given)).status).toBe(200);
      expect(upstreams.credentialProblems).toBe("cards: token_refused");
      tokenStatus = 200;
      aheadMs += 5_000;
      await send(given);
      await expect.poll(() => upstreams.credentialProblems).toBeUndefined();
    } finally {
      vi.restoreAllMocks();
    }
  });

  it("take up a rotated credential without a restart, from Vault and by OAuth", async () => {
    let generation = 1;
    respond = (path, response, authorization) => {
      if (path.startsWith("/v1/")) {
        const data = { data: { data: { token: `vault-${generation}` } } };
        response.end(JSON.stringify(data));
      } else if (path === "/token") {
        response.end(JSON.stringify({ access_token: `oauth-${generation}`, token_type: "Bearer" }));
      } else response.writeHead(authorization.endsWith(`-${generation}`) ? 200 : 401).end(authorization);
    };
    const credentials: Credential[] = [
      { type: "bearer", token: { vault: { path: "secret/cards", field: "token" } } },
      {
        type: "oauth",
        tokenUrl: `${origin}/token`,
        clientId: "c",
        clientSecret: { env: "TEST_UPSTREAM_SECRET" },
      },
    ];
    for (const [index, credential] of credentials.entries()) {
      generation = 1;
      const given = { ...endpoint(credential), name: `cards-${index}` };
      expect((await send(given)).status).toBe(200);
      generation = 2;
      expect((await send(given)).status).toBe(200);
    }
    expect(upstreams.credentialProblems).toBeUndefined();
  });

  it("end the programs of settings that no longer hold", async () => {
    const script = `require("readline").createInterface({ input: process.stdin }).on("line", () => console.log(JSON.stringify({ jsonrpc: "2.0", id: 1, result: { pid: process.pid } })))`;
    const program = (idleSeconds: number): Endpoint => ({
      ...endpoint(bearer),
      upstream: {
        transport: "stdio",
        command: [process.execPath, "-e", script],
        environment: {},
        processesMax: 2,
        idleSeconds,
        timeoutSeconds: 5,
      },
    });
    const pidOf = async (given: Endpoint) =>
      (JSON.parse(await text((await send(given)).body)) as { result: { pid: number } }).result.pid;
    const before = await pidOf(program(60));
    const after = await pidOf(program(61));
    expect(after).not.toBe(before);
    await expect.poll(() => alive(before)).toBe(false);
    expect(alive(after)).toBe(true);
  });
});
