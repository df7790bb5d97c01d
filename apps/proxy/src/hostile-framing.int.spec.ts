import { connect } from "node:net";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { RequestApproval } from "@countersign/contracts";
import { GatewayFixture, until } from "./testing/gateway.fixture.js";

const pan = "4111111111111111";
const modern = "2026-07-28";
const message = (method: string, params: object = {}, id = 1) => ({ jsonrpc: "2.0", id, method, params });
const tools = [
  { name: "delete_customer", inputSchema: { type: "object" } },
  { name: "get", description: `card ${pan}`, inputSchema: { type: "object" } },
];
const listAnswer = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools } });

describe("what frames messages", () => {
  let gateway: GatewayFixture;

  beforeAll(async () => {
    gateway = await new GatewayFixture(inject("kafkaBrokers"), {
      environment: { TRUST_PROXY: "1" },
    }).start();
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    gateway.upstream.received.length = 0;
  });

  const answerWith =
    (status: number, headers: Record<string, string>, body: string | Buffer) =>
    (_: string, response: ServerResponse): void =>
      void response.writeHead(status, headers).end(body);
  const recordsOf = async (sessionId: string): Promise<string> =>
    JSON.stringify(await gateway.recordsOf(sessionId, (types) => types.includes("CallCompleted")));

  it("a request in a charset that only the server would read is refused, and recorded", async () => {
    const { token, sessionId } = await gateway.session();
    // In UTF-7 this says another name than in UTF-8.
    const body = message("tools/call", { name: "get+ACI-", arguments: {} });
    const response = await gateway.post(token, body, { "content-type": "application/json; charset=utf-7" });
    expect(response.status).toBe(415);
    expect(gateway.upstream.received).toEqual([]);
    const records = await gateway.recordsOf(sessionId, (types) => types.length > 0);
    expect(records[0]).toMatchObject({ type: "CallRefused", data: { reason: "malformed" } });
  });

  it("a request in UTF-16 is refused, and nothing of its card is on record", async () => {
    const { token, sessionId } = await gateway.session();
    const body = Buffer.from(JSON.stringify(message("tools/call", { card: pan })), "utf16le");
    const response = await gateway.post(token, body.toString("utf8"));
    expect(response.status).toBe(400);
    const records = await gateway.recordsOf(sessionId, (types) => types.length > 0);
    expect(JSON.stringify(records).replaceAll("\\u0000", "")).not.toContain(pan);
  });

  it("a client that leaves in the middle of its request is refused as malformed", async () => {
    const { token, sessionId } = await gateway.session();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const request = httpRequest(gateway.endpointUrl, { method: "POST", headers });
    request.on("error", () => undefined);
    request.write("{");
    setTimeout(() => request.destroy(), 500);
    const records = await gateway.recordsOf(sessionId, (types) => types.length > 0);
    expect(records[0]).toMatchObject({ type: "CallRefused", data: { reason: "malformed" } });
  });

  it("an address that a proxy in front names is on record only if it is one", async () => {
    const { token, sessionId } = await gateway.session();
    const denied = message("tools/call", { name: "delete_customer", arguments: {} });
    await gateway.post(token, denied, { "x-forwarded-for": pan });
    // The client said the first address, the proxy in front the last.
    await gateway.post(token, denied, { "x-forwarded-for": "198.51.100.1, 203.0.113.7" });
    const records = await gateway.recordsOf(sessionId, (types) => types.length > 1);
    expect(records.map(({ data }) => (data as { clientAddress?: string }).clientAddress)).toEqual([
      "127.0.0.1",
      "203.0.113.7",
    ]);
  });

  it.each([
    ["text/plain;application/json", listAnswer],
    ["Application/JSON", listAnswer],
    ["text/plain", listAnswer],
    ["Text/Event-Stream", `data: ${listAnswer}\n\n`],
    ["application/json", `data: ${listAnswer}\n\n`],
  ])("a list is a list under whatever name it comes: %s", async (type, body) => {
    const { token } = await gateway.session();
    gateway.upstream.respond = answerWith(200, { "content-type": type }, body);
    const text = await (await gateway.post(token, message("tools/list"))).text();
    expect(text).not.toContain("delete_customer");
    expect(text).toContain("card 411111******1111");
  });

  it("a stream under a name that only its parameters give it is no stream to the client either", async () => {
    const { token } = await gateway.session();
    const type = "application/x;text/event-stream";
    gateway.upstream.respond = answerWith(200, { "content-type": type }, `data: ${listAnswer}\n\n`);
    const response = await gateway.post(token, message("tools/list"));
    expect(response.headers.get("content-type")).toBe("application/x");
  });

  it("a stream under the name of JSON is not waited for to its end", async () => {
    const { token } = await gateway.session();
    gateway.upstream.respond = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write(`data: ${listAnswer}\n\n`);
    };
    const response = await gateway.post(token, message("tools/list"));
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toContain("card 411111******1111");
    await reader.cancel();
  });

  it("headers of an answer carry no card, to nobody and onto no record", async () => {
    const { token, sessionId } = await gateway.session();
    const headers = { "retry-after": pan, allow: pan, "content-type": `text/plain; x=${pan}` };
    gateway.upstream.respond = answerWith(503, headers, "busy");
    const response = await gateway.post(token, message("tools/list"));
    expect(JSON.stringify([...response.headers])).not.toContain(pan);
    expect(await response.text()).toBe("busy");
    expect(await recordsOf(sessionId)).not.toContain(pan);
  });

  it("a session id that holds a card is not handed out", async () => {
    const { token, sessionId } = await gateway.session();
    const headers = { "mcp-session-id": `s-${pan}`, "content-type": "application/json" };
    gateway.upstream.respond = answerWith(200, headers, `{"jsonrpc":"2.0","id":1,"result":{}}`);
    const response = await gateway.post(token, message("initialize"));
    expect(JSON.stringify([...response.headers])).not.toContain(pan);
    expect(await response.text()).toContain("Mcp-Session-Id holds card data");
    expect(await recordsOf(sessionId)).not.toContain(pan);
  });

  it("text in an encoding that nobody searches is masked all the same", async () => {
    const { token, sessionId } = await gateway.session();
    const text = Buffer.from(`card ${pan}`, "utf16le");
    gateway.upstream.respond = answerWith(500, { "content-type": "text/plain; charset=utf-16le" }, text);
    const response = await gateway.post(token, message("tools/list"));
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe("card 411111******1111");
    expect((await recordsOf(sessionId)).replaceAll("\\u0000", "")).not.toContain(pan);
  });

  it.each([
    [500, "text/html", "<html>"],
    [202, "text/plain", ""],
    [404, "application/json", `{"error":"x"}`],
  ])("a held call ends in a message where the server sends none: %s %s", async (status, type, body) => {
    const { token, sessionId } = await gateway.session();
    gateway.upstream.respond = answerWith(status, { "content-type": type }, body);
    const answer = gateway.post(token, message("tools/call", { name: "refund", arguments: {} }, 7));
    const asked = (): RequestApproval | undefined =>
      gateway.commands
        .map(({ data }) => data as RequestApproval)
        .find((request) => request.sessionId === sessionId);
    await until(() => asked() !== undefined, "the approval is asked for");
    await gateway.decide(asked()!, "ApprovalGranted");
    const [, data = ""] = /^data: (.*)$/m.exec(await (await answer).text()) ?? [];
    expect(JSON.parse(data)).toMatchObject({ jsonrpc: "2.0", id: 7, error: { code: -32_001 } });
    expect(data).toContain(String(status));
  });

  it("a client that takes nothing holds no stream open beyond its session", async () => {
    const { token, sessionId } = await gateway.session();
    gateway.upstream.respond = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const params = { level: "info", data: "x".repeat(200_000) };
      const event = `data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params })}\n\n`;
      const pump = (): void => {
        while (!response.destroyed && response.write(event));
      };
      response.on("drain", pump);
      pump();
    };
    const { port, hostname, pathname } = new URL(gateway.endpointUrl);
    const client = connect(Number(port), hostname).pause();
    let closed = false;
    client.on("close", () => (closed = true)).on("error", () => undefined);
    client.write(`GET ${pathname} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`);
    const recorded = (): number => gateway.traffic.filter(({ subject }) => subject === sessionId).length;
    let before = -1;
    await until(async () => {
      const isStill = recorded() > 2 && recorded() === before;
      before = recorded();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return isStill;
    }, "nothing goes on any more");
    await gateway.publishSessionEvent("SessionRevoked", sessionId, {
      sessionId,
      principalId: "company:engineer",
      endpoint: gateway.endpointName,
      by: { id: "company:admin" },
      reason: "test",
    });
    const records = await gateway.recordsOf(sessionId, (types) => types.includes("CallCompleted"));
    expect(records.at(-1)?.data).toMatchObject({ outcome: "cancelled" });
    // What waits in the socket is there to its end, which is that of the stream or of the connection.
    let last = "";
    client.on("data", (data: Buffer) => (last = data.toString("latin1").slice(-5))).resume();
    await until(() => closed || last === "0\r\n\r\n", "the stream has an end");
    client.destroy();
  });

  it("those who only listen take no connection away from calls, in either era", async () => {
    const open = await gateway.addEndpoint(gateway.upstream.url);
    gateway.upstream.respond = (body, response, request: IncomingMessage) => {
      if (request.method === "GET" || body.includes("subscriptions/listen")) {
        response.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
      } else
        answerWith(
          200,
          { "content-type": "application/json" },
          `{"jsonrpc":"2.0","id":1,"result":{}}`,
        )("", response);
    };
    const leaving = new AbortController();
    const ask = (token: string, method: string): Promise<Response> =>
      fetch(`${gateway.url}/mcp/${open}`, {
        method: "POST",
        signal: leaving.signal,
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          "mcp-protocol-version": modern,
          "mcp-method": method,
        },
        body: JSON.stringify(
          message(method, { _meta: { "io.modelcontextprotocol/protocolVersion": modern } }),
        ),
      });
    const sessions = await Promise.all(Array.from({ length: 9 }, () => gateway.session({ endpoint: open })));
    const [caller, ...listeners] = sessions;
    const opened = await Promise.all(
      listeners.flatMap(({ token }) => Array.from({ length: 32 }, () => ask(token, "subscriptions/listen"))),
    );
    expect(opened.map(({ status }) => status)).toEqual(opened.map(() => 200));
    const late = new Promise((resolve) => setTimeout(resolve, 5_000, "late"));
    expect(await Promise.race([ask(caller!.token, "tools/list").then((r) => r.status), late])).toBe(200);
    leaving.abort();
  });
});
