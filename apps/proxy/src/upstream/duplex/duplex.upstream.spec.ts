import { text } from "node:stream/consumers";
import { createLogger } from "@countersign/service-kit";
import { beforeEach, describe, expect, it } from "vitest";
import type { UpstreamAnswer } from "../upstream.js";
import { pendingMax, strayMessagesMax } from "./conversation.js";
import { DuplexUpstream, perSessionMax } from "./duplex.upstream.js";
import type { WireEvents } from "./wire.js";

/** A server on a wire that says what a test has it say. */
class FakeServer {
  readonly heard: { id?: unknown; method?: string; params?: unknown }[] = [];
  closed = false;
  paused = false;
  constructor(readonly events: WireEvents) {}
  say(message: unknown): void {
    this.events.message(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
  }
  answer(id: unknown, result: unknown = {}): void {
    this.say({ jsonrpc: "2.0", id, result });
  }
}

let servers: FakeServer[];
let strays: number;
let session: { id: string; end: AbortController };
let upstream: DuplexUpstream;
let reply: (server: FakeServer, message: { id?: unknown; method?: string }) => void;

beforeEach(() => {
  servers = [];
  strays = 0;
  session = { id: "s1", end: new AbortController() };
  reply = (server, { id, method }) => {
    if (method === "initialize") server.answer(id, { protocolVersion: "2025-11-25" });
  };
  upstream = make(8, 60_000);
});

const make = (wiresMax: number, idleMs: number) =>
  new DuplexUpstream({
    endpoint: "cards",
    wiresMax,
    idleMs,
    log: createLogger("test", "silent"),
    stray: () => (strays += 1),
    open: async (events) => {
      const server = new FakeServer(events);
      servers.push(server);
      return {
        send: async (bytes) => {
          const message = JSON.parse(Buffer.from(bytes).toString()) as FakeServer["heard"][number];
          server.heard.push(message);
          queueMicrotask(() => reply(server, message));
        },
        pause: () => (server.paused = true),
        resume: () => (server.paused = false),
        close: async () => {
          server.closed = true;
        },
      };
    },
  });

const accept = "application/json, text/event-stream";
const send = (
  httpMethod: "POST" | "GET" | "DELETE",
  options: {
    message?: unknown;
    mcpSessionId?: string;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    session?: typeof session;
  } = {},
): Promise<UpstreamAnswer> => {
  const own = options.session ?? session;
  return upstream.send({
    httpMethod,
    listens: httpMethod === "GET",
    headers: {
      accept,
      ...(options.mcpSessionId === undefined ? {} : { "mcp-session-id": options.mcpSessionId }),
      ...options.headers,
    },
    ...(options.message === undefined ? {} : { body: Buffer.from(JSON.stringify(options.message)) }),
    signal: options.signal ?? new AbortController().signal,
    session: { id: own.id, ended: own.end.signal },
  });
};
const initialize = async (own = session): Promise<string> => {
  const message = { jsonrpc: "2.0", id: 0, method: "initialize", params: {} };
  const { headers, body } = await send("POST", { message, session: own });
  await text(body);
  return String(headers["mcp-session-id"]);
};
const call = (id: string | number, params: unknown = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params,
});
const heard = (server: FakeServer, method: string) =>
  expect.poll(() => server.heard.some((message) => message.method === method)).toBe(true);
const server = (index = 0): FakeServer => {
  const found = servers[index];
  if (!found) throw new Error("no such server");
  return found;
};

describe("a server on a wire, as streamable HTTP", () => {
  describe("keeps apart and refuses", () => {
    it("an MCP session of another Countersign session", async () => {
      const mcpSessionId = await initialize();
      const other = { id: "s2", end: new AbortController() };
      for (const method of ["POST", "GET", "DELETE"] as const) {
        const options = { mcpSessionId, session: other, ...(method === "POST" ? { message: call(1) } : {}) };
        expect((await send(method, options)).status).toBe(404);
      }
      expect(server().heard).toHaveLength(1);
      expect(server().closed).toBe(false);
    });

    it("a request of an older era outside an MCP session", async () => {
      expect((await send("POST", { message: call(1) })).status).toBe(400);
      expect((await send("GET")).status).toBe(400);
      expect(servers).toEqual([]);
    });

    it("a batch, since its answers would come one by one", async () => {
      const mcpSessionId = await initialize();
      expect((await send("POST", { message: [call(1), call(2)], mcpSessionId })).status).toBe(400);
      expect(server().heard).toHaveLength(1);
    });

    it("a session that ended: its wire is closed, its calls fail, its id is gone", async () => {
      const mcpSessionId = await initialize();
      const waiting = send("POST", { message: call(1), mcpSessionId });
      await heard(server(), "tools/call");
      session.end.abort("revoked");
      await expect(waiting).rejects.toMatchObject({ code: "upstream_session_over", sent: true });
      await expect.poll(() => server().closed).toBe(true);
      expect((await send("POST", { message: call(2), mcpSessionId })).status).toBe(404);
      await expect(initialize()).rejects.toMatchObject({ code: "upstream_session_over" });
    });

    it("more wires than may be", async () => {
      upstream = make(1, 60_000);
      await initialize();
      const other = { id: "s2", end: new AbortController() };
      await expect(initialize(other)).rejects.toMatchObject({ code: "upstream_busy", sent: false });
      expect(servers).toHaveLength(1);
    });

    it("a request whose id is under way", async () => {
      const mcpSessionId = await initialize();
      const first = send("POST", { message: call(1), mcpSessionId });
      await heard(server(), "tools/call");
      expect((await send("POST", { message: call(1), mcpSessionId })).status).toBe(400);
      server().answer(1, { mine: true });
      expect(await text((await first).body)).toContain("mine");
    });

    it("more calls under way than may be", async () => {
      const mcpSessionId = await initialize();
      for (let id = 0; id < pendingMax; id++) {
        send("POST", { message: call(id), mcpSessionId }).catch(() => undefined);
      }
      await expect(send("POST", { message: call("x"), mcpSessionId })).rejects.toMatchObject({
        code: "upstream_busy",
      });
      session.end.abort("over");
    });
  });

  describe("survives a server that", () => {
    it("prints garbage, and ends it when it does nothing else", async () => {
      const mcpSessionId = await initialize();
      const waiting = send("POST", { message: call(1), mcpSessionId });
      await heard(server(), "tools/call");
      for (const line of [
        "Listening…",
        "{",
        "[]",
        '{"jsonrpc":"1.0"}',
        '{"jsonrpc":"2.0","id":99,"result":{}}',
      ]) {
        server().say(line);
      }
      expect(strays).toBe(5);
      server().answer(1, { mine: true });
      expect(await text((await waiting).body)).toContain("mine");
      for (let i = 5; i < strayMessagesMax; i++) server().say("garbage");
      await expect.poll(() => server().closed).toBe(true);
    });

    it("breaks off while a call is under way", async () => {
      const mcpSessionId = await initialize();
      const waiting = send("POST", { message: call(1), mcpSessionId });
      await heard(server(), "tools/call");
      server().events.closed(new Error("exit 1"));
      await expect(waiting).rejects.toMatchObject({ code: "upstream_broke_off", sent: true });
      expect((await send("POST", { message: call(2), mcpSessionId })).status).toBe(404);
    });

    it("answers after the client stopped waiting: it is told, and its answer leads nowhere", async () => {
      const mcpSessionId = await initialize();
      const leave = new AbortController();
      const waiting = send("POST", { message: call(7), mcpSessionId, signal: leave.signal });
      await heard(server(), "tools/call");
      leave.abort("left");
      await expect(waiting).rejects.toThrow("left");
      await heard(server(), "notifications/cancelled");
      expect(server().heard.at(-1)?.params).toMatchObject({ requestId: 7 });
      server().answer(7, { secret: true });
      expect(strays).toBe(1);
    });

    it("says more than its client reads", async () => {
      const mcpSessionId = await initialize();
      const { body } = await send("GET", { mcpSessionId });
      const note = { jsonrpc: "2.0", method: "notifications/message", params: { data: "x".repeat(600_000) } };
      server().say(note);
      expect(server().paused).toBe(false);
      for (let i = 0; i < 4; i++) server().say(note);
      expect(server().paused).toBe(true);
      const reading = text(body);
      await expect.poll(() => server().paused).toBe(false);
      session.end.abort("over");
      expect((await reading).length).toBeGreaterThan(5 * 600_000);
    });
  });

  it("issues a session id, answers requests in JSON and takes notifications", async () => {
    const mcpSessionId = await initialize();
    const note = { jsonrpc: "2.0", method: "notifications/initialized" };
    expect((await send("POST", { message: note, mcpSessionId })).status).toBe(202);
    const waiting = send("POST", { message: call("a"), mcpSessionId });
    await heard(server(), "tools/call");
    const line = '{"jsonrpc":"2.0","id":"a","result":{"n":1.10}}';
    server().say(line);
    const { status, headers, body } = await waiting;
    expect([status, headers["content-type"], await text(body)]).toEqual([200, "application/json", line]);
  });

  it("streams what is said on the way to the request that it is about", async () => {
    const mcpSessionId = await initialize();
    const listening = await send("GET", { mcpSessionId });
    const a = send("POST", { message: call(1, { _meta: { progressToken: "p1" } }), mcpSessionId });
    const b = send("POST", { message: call(2, { _meta: { progressToken: "p2" } }), mcpSessionId });
    await expect.poll(() => server().heard.length).toBe(3);
    server().say({
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { progressToken: "p2", progress: 1 },
    });
    server().say({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
    server().answer(1);
    server().answer(2);
    expect((await a).headers["content-type"]).toBe("application/json");
    const events = (await text((await b).body)).split("\n\n").filter(Boolean);
    expect(events.map((event) => /"method":"([^"]+)"|"(id)"/.exec(event)?.slice(1))).toEqual([
      ["notifications/progress", undefined],
      [undefined, "id"],
    ]);
    session.end.abort("over");
    expect(await text(listening.body)).toContain("list_changed");
  });

  it("keeps what the server asks until its client listens", async () => {
    const mcpSessionId = await initialize();
    server().say({ jsonrpc: "2.0", id: "q1", method: "roots/list" });
    const { body } = await send("GET", { mcpSessionId });
    session.end.abort("over");
    expect(await text(body)).toContain('"id":"q1"');
  });

  it("ends with a DELETE, and after a time without use", async () => {
    const mcpSessionId = await initialize();
    expect((await send("DELETE", { mcpSessionId })).status).toBe(200);
    await expect.poll(() => server().closed).toBe(true);
    upstream = make(8, 20);
    await initialize();
    await expect.poll(() => server(1).closed).toBe(true);
    expect(upstream.wires).toBe(0);
  });

  it("gives up the MCP session that a client used least when it opens more and more", async () => {
    const ids: string[] = [];
    for (let i = 0; i <= perSessionMax; i++) ids.push(await initialize());
    expect(servers.map(({ closed }) => closed)).toEqual([
      true,
      ...Array.from({ length: perSessionMax }, () => false),
    ]);
    expect((await send("POST", { message: call(1), mcpSessionId: ids[0] ?? "" })).status).toBe(404);
  });

  describe("of the era without sessions", () => {
    const modern = { "mcp-protocol-version": "2026-07-28" };
    const discover = { jsonrpc: "2.0", id: 1, method: "server/discover" };

    it("shares a wire per Countersign session", async () => {
      reply = (server, { id }) => server.answer(id, { resultType: "complete" });
      const { headers, status } = await send("POST", { message: discover, headers: modern });
      await send("POST", { message: call(2), headers: modern });
      await send("POST", {
        message: call(1),
        headers: modern,
        session: { id: "s2", end: new AbortController() },
      });
      expect([status, headers["mcp-session-id"], servers.length]).toEqual([200, undefined, 2]);
    });

    it("tells a client of both eras apart, and keeps no wire for a server of the older one", async () => {
      reply = (server, { id }) =>
        server.say({ jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } });
      expect((await send("POST", { message: discover, headers: modern })).status).toBe(404);
      await expect.poll(() => server().closed).toBe(true);
    });

    it("has no stream to listen to", async () => {
      expect((await send("GET", { headers: modern })).status).toBe(400);
    });
  });
});
