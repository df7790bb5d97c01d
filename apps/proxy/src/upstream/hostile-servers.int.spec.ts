import type { CallCompleted, Endpoint, MessageRecorded, StdioUpstream } from "@countersign/contracts";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { GatewayFixture, until } from "../testing/gateway.fixture.js";
import { failuresMax } from "./circuit-breaker.js";
import { alive } from "./stdio/alive.fixture.js";

const secret = "upstream-canary-5f2a-78";
const pan = "4111111111111111";
let gateway: GatewayFixture;

beforeAll(async () => {
  process.env["TEST_HOSTILE_SECRET"] = secret;
  gateway = await new GatewayFixture(inject("kafkaBrokers"), {
    environment: { STDIO_COMMANDS: process.execPath, PATH: process.env["PATH"] ?? "" },
  }).start();
});
afterAll(() => gateway.stop());

/** Answers `initialize` with the ids of its processes, then does what the test wants with each call. */
const hostile = (onCall: string, changes: Partial<StdioUpstream> = {}): StdioUpstream => ({
  transport: "stdio",
  command: [
    process.execPath,
    "-e",
    `process.on("SIGTERM", () => {});
     const child = require("child_process").spawn(process.execPath, ["-e", 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { stdio: "ignore" });
     const say = (message) => process.stdout.write(JSON.stringify(message) + "\\n");
     require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
       const { id, method } = JSON.parse(line);
       if (method === "initialize") say({ jsonrpc: "2.0", id, result: { pids: [process.pid, child.pid] } });
       if (method === "tools/call") { ${onCall} }
     });
     setInterval(() => {}, 1000);`,
  ],
  environment: { SECRET: { env: "TEST_HOSTILE_SECRET" } },
  processesMax: 2,
  idleSeconds: 60,
  // A program takes its time to start.
  timeoutSeconds: 5,
  ...changes,
});

const message = (id: number, method: string, params: unknown = {}) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
const opened = async (upstream: Endpoint["upstream"]) => {
  const endpoint = await gateway.addEndpoint(upstream);
  const { token, sessionId } = await gateway.session({ endpoint });
  const post = (body: unknown, mcpSessionId?: string) =>
    fetch(`${gateway.url}/mcp/${endpoint}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        authorization: `Bearer ${token}`,
        ...(mcpSessionId === undefined ? {} : { "mcp-session-id": mcpSessionId }),
      },
      body: JSON.stringify(body),
    });
  return { endpoint, sessionId, post };
};
const initialized = async (upstream: StdioUpstream) => {
  const { post, ...rest } = await opened(upstream);
  const response = await post(message(0, "initialize"));
  const { result } = (await response.json()) as { result: { pids: number[] } };
  const mcpSessionId = response.headers.get("mcp-session-id") ?? "";
  return {
    ...rest,
    pids: result.pids,
    call: (more: object = {}) => post(message(1, "tools/call", { name: "x", ...more }), mcpSessionId),
  };
};
const outcomeOf = async (sessionId: string) => {
  const calls = () =>
    gateway.traffic
      .filter(({ type, subject }) => type === "CallCompleted" && subject === sessionId)
      .map(({ data }) => data as CallCompleted)
      .filter(({ method }) => method === "tools/call");
  await until(() => calls().length > 0, "the outcome is on the log");
  return calls().at(-1)?.outcome;
};
const nothingLeaked = (answer: string): void => {
  const told = answer + JSON.stringify(gateway.traffic) + gateway.logLines.join("");
  expect(told).not.toContain(secret);
  expect(told).not.toContain(pan);
};

describe("a hostile server, through the whole proxy", () => {
  it("that cuts a card over its messages gets it past nobody", async () => {
    const progress = `{ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: "p", progress: 1`;
    const { call, sessionId } = await initialized(
      hostile(`
        say(${progress}, message: "card 55555555" } });
        say(${progress}, message: "55554444" } });
        say({ jsonrpc: "2.0", id, result: { content: [] } });`),
    );
    const text = await (await call({ _meta: { progressToken: "p" } })).text();
    expect(text).toContain('"card 55555555"');
    expect(text).toContain('"********"');
    await outcomeOf(sessionId);
    const recorded = JSON.stringify(gateway.traffic.filter(({ subject }) => subject === sessionId));
    expect(recorded).toContain("pan.stream");
    expect(text + recorded).not.toContain("55554444");
  });

  it.each([
    ["never answers", "", "upstream_broke_off"],
    [
      "prints a line that does not end",
      `setInterval(() => process.stdout.write("x".repeat(100_000)), 1)`,
      "upstream_broke_off",
    ],
    [
      "dies in the middle of an answer",
      `process.stdout.write('{"jsonrpc"'); process.exit(1)`,
      "upstream_broke_off",
    ],
    [
      "prints only garbage, with secrets and cards in it",
      `for (let i = 0; i < 2000; i++) { console.log(process.env.SECRET, "${pan}"); console.error(process.env.SECRET, "${pan}"); }`,
      "upstream_session_over",
    ],
  ])("that %s ends its call in a clear outcome and leaks nothing", async (_, onCall, code) => {
    const { call, sessionId } = await initialized(hostile(onCall));
    const response = await call();
    const answer = await response.text();
    expect(response.status).toBe(200);
    expect((JSON.parse(answer) as { error: { data: { code: string } } }).error.data.code).toBe(code);
    expect(await outcomeOf(sessionId)).toBe("upstream_failed");
    nothingLeaked(answer);
  });

  it.each([
    [
      "answers twice",
      `say({ jsonrpc: "2.0", id, result: { first: true } }); say({ jsonrpc: "2.0", id, result: { second: true } });`,
    ],
    [
      "answers what nobody asked",
      `say({ jsonrpc: "2.0", id: 99, result: {} }); say({ jsonrpc: "2.0", id, result: { first: true } });`,
    ],
    [
      "tells its secret",
      `say({ jsonrpc: "2.0", id, result: { first: true, dsn: process.env.SECRET, card: "${pan}" } });`,
    ],
  ])("that %s gets one answer through", async (_, onCall) => {
    const { call, sessionId } = await initialized(hostile(onCall));
    const answer = await (await call()).text();
    expect(JSON.parse(answer)).toMatchObject({ id: 1, result: { first: true } });
    expect(await outcomeOf(sessionId)).toBe("result");
    nothingLeaked(answer);
  });

  it("does not survive its session, nor does its child, although both ignore SIGTERM", async () => {
    const { pids, sessionId, endpoint } = await initialized(hostile(""));
    expect(pids.map(alive)).toEqual([true, true]);
    await gateway.publishSessionEvent("SessionExpired", sessionId, {
      sessionId,
      principalId: "company:engineer",
      endpoint,
      cause: "idle",
    });
    await until(() => !pids.some(alive), "both processes are gone");
    expect(pids.map(alive)).toEqual([false, false]);
  });

  it("has what it writes to its log on record, masked, under the call that started it", async () => {
    const log = `console.error("log in with", process.env.SECRET, "for ${pan}"); say({ jsonrpc: "2.0", id, result: {} });`;
    const { call, sessionId } = await initialized(hostile(log, { timeoutSeconds: 10 }));
    await (await call()).text();
    const recorded = (): MessageRecorded[] =>
      gateway.traffic
        .filter(({ type, subject }) => type === "MessageRecorded" && subject === sessionId)
        .map(({ data }) => data as MessageRecorded)
        .filter(({ kind }) => kind === "log");
    await until(() => recorded().length > 0, "the log is on record");
    expect(recorded()).toMatchObject([
      {
        method: "initialize",
        direction: "server_to_client",
        message: {
          text: "log in with [upstream credential removed] for 411111******1111",
          contentType: "text/plain",
          findings: [{ kind: "pan" }],
        },
      },
    ]);
    nothingLeaked("");
  });

  it("is not run where the proxy was not told that it may be", async () => {
    const { post, sessionId } = await opened({ ...hostile(""), command: ["/bin/sh", "-c", "exit"] });
    const response = await post(message(0, "initialize"));
    const { error } = (await response.json()) as { error: { message: string; data: { code: string } } };
    expect(error.data.code).toBe("upstream_unavailable");
    expect(error.message).toContain("STDIO_COMMANDS");
    const records = await gateway.recordsOf(sessionId, (types) => types.includes("CallCompleted"));
    expect(records.at(-1)?.data).toMatchObject({ outcome: "not_forwarded" });
  });

  it("is given a rest after it could not be reached several times, and each call is recorded as not made", async () => {
    const upstream = { credential: { type: "none" }, timeoutSeconds: 5, forwardHeaders: [] } as const;
    const { post, sessionId } = await opened({
      ...upstream,
      forwardHeaders: [],
      url: "http://127.0.0.1:9/mcp",
    });
    const messages: string[] = [];
    for (let id = 1; id <= failuresMax + 1; id++) {
      const { error } = (await (await post(message(id, "tools/call", { name: "x" }))).json()) as {
        error: { message: string; data: { code: string } };
      };
      expect(error.data.code).toBe("upstream_unavailable");
      messages.push(error.message);
    }
    expect(messages.at(-1)).toContain("failed several times in a row");
    expect(messages.at(-2)).toContain("cannot be reached");
    expect(await outcomeOf(sessionId)).toBe("not_forwarded");
  });
});
