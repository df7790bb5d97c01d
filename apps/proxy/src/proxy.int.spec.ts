import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type {
  CallIntended,
  EventMessage,
  OriginalSealed,
  Payload,
  RequestApproval,
} from "@countersign/contracts";
import { leafHashHex } from "@countersign/evidence";
import { GatewayFixture, until, upstreamSecret } from "./testing/gateway.fixture.js";

const pan = "4111111111111111";
const maskedPan = "411111******1111";

const call = (name: string, args: unknown, id: string | number = 1) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});
const result = (id: string | number, text: string) =>
  JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } });

describe("the proxy", () => {
  let gateway: GatewayFixture;

  beforeAll(async () => {
    gateway = await new GatewayFixture(inject("kafkaBrokers")).start();
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    gateway.upstream.received.length = 0;
    gateway.upstream.respond = (body, response) => {
      const { id } = JSON.parse(body) as { id: number };
      response.writeHead(200, { "content-type": "application/json" }).end(result(id, "fine"));
    };
  });

  describe("refuses, and forwards nothing", () => {
    const session = () => gateway.session();
    const cases: [string, () => Promise<Response>, number, string][] = [
      ["no token", () => gateway.post(undefined, call("x", {})), 401, "token_missing"],
      ["a token that is no token", () => gateway.post("abc", call("x", {})), 401, "token_invalid"],
      [
        "a token for another endpoint",
        async () => {
          const { sessionId } = await session();
          const claims = { sub: "company:engineer", sid: sessionId, client_id: "client-1" };
          return gateway.post(await gateway.token(claims, `${gateway.url}/mcp/other`), call("x", {}));
        },
        401,
        "token_invalid",
      ],
      [
        "an expired token",
        async () => {
          const { sessionId } = await session();
          const claims = { sub: "company:engineer", sid: sessionId, client_id: "client-1" };
          return gateway.post(await gateway.token(claims, gateway.endpointUrl, "-1m"), call("x", {}));
        },
        401,
        "token_invalid",
      ],
      [
        "another person's session",
        async () => {
          const { sessionId } = await session();
          const claims = { sub: "company:mallory", sid: sessionId, client_id: "client-1" };
          return gateway.post(await gateway.token(claims), call("x", {}));
        },
        401,
        "session_unknown",
      ],
      [
        "a foreign web origin",
        async () => gateway.post((await session()).token, call("x", {}), { origin: "https://evil.example" }),
        403,
        "origin_refused",
      ],
      [
        "duplicate keys",
        async () =>
          gateway.post(
            (await session()).token,
            `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}`,
          ),
        400,
        "malformed",
      ],
      [
        "a batch where the revision has none",
        async () =>
          gateway.post((await session()).token, `[${JSON.stringify(call("x", {}))}]`, {
            "mcp-protocol-version": "2025-06-18",
          }),
        400,
        "unsupported",
      ],
      [
        "a body over the endpoint's limit",
        async () => gateway.post((await session()).token, call("x", { text: "x".repeat(1024 * 1024) })),
        413,
        "too_large",
      ],
      [
        "a tool that policy forbids",
        async () => gateway.post((await session()).token, call("delete_customer", {})),
        200,
        "forbidden_by_policy",
      ],
    ];

    it.each(cases)("%s", async (_, ask, status, code) => {
      const response = await ask();
      expect(response.status).toBe(status);
      const { error } = (await response.json()) as { error: { data: { code: string } } };
      expect(error.data.code).toBe(code);
      expect(gateway.upstream.received).toEqual([]);
    });

    it("a session that was revoked", async () => {
      const { token, sessionId } = await gateway.session();
      expect((await gateway.post(token, call("get", {}))).status).toBe(200);
      await gateway.publishSessionEvent("SessionRevoked", sessionId, {
        sessionId,
        principalId: "company:engineer",
        endpoint: gateway.endpointName,
        by: { id: "company:admin" },
        reason: "test",
      });
      await until(
        async () => (await gateway.post(token, call("get", {}))).status === 401,
        "the session is over",
      );
    });
  });

  it("invites to log in where RFC 9728 says so", async () => {
    const response = await gateway.post(undefined, call("x", {}));
    const challenge = response.headers.get("www-authenticate") ?? "";
    const url = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "";
    const metadata = (await (await fetch(url)).json()) as { resource: string };
    expect(metadata.resource).toBe(gateway.endpointUrl);
  });

  it("forwards an untouched message byte for byte, with its own credential and not the client's", async () => {
    const { token, sessionId } = await gateway.session();
    const body = `{ "jsonrpc":"2.0", "id":  7, "method":"tools/call", "params":{"name":"get","arguments":{"n":1.10,"big":12345678901234567890,"x":"\\u00e9"}} }`;
    await gateway.post(token, body, { "x-trace": "t1", cookie: "a=b", "x-other": "no" });
    const [received] = gateway.upstream.received;
    expect(received?.body).toBe(body);
    expect(received?.headers.authorization).toBe(`Bearer ${upstreamSecret}`);
    expect(received?.headers["x-trace"]).toBe("t1");
    expect(received?.headers.cookie).toBeUndefined();
    expect(received?.headers["x-other"]).toBeUndefined();
    const [intended] = await gateway.recordsOf(sessionId, (types) => types.includes("CallIntended"));
    const recorded = JSON.parse((intended!.data as CallIntended).headers?.text ?? "") as Record<
      string,
      string
    >;
    const client = Object.entries(received?.headers ?? {}).filter(([name]) => Object.hasOwn(recorded, name));
    expect(recorded).toEqual(Object.fromEntries(client));
    expect(Object.keys(recorded)).toEqual(expect.arrayContaining(["accept", "content-type", "x-trace"]));
  });

  it("masks a card number in the answer, seals the original and records both sides first", async () => {
    const { token, sessionId } = await gateway.session();
    gateway.upstream.respond = (_, response) => {
      const text = JSON.stringify({ pan, cvv: "123" });
      response.writeHead(200, { "content-type": "application/json" }).end(result(1, text));
    };
    const response = await gateway.post(token, call("query", { card: pan }));
    const answer = await response.text();
    expect(answer).toContain(maskedPan);
    expect(answer).not.toContain(pan);
    expect(answer).not.toContain("123");
    const records = await gateway.recordsOf(sessionId, (types) => types.includes("CallCompleted"));
    expect(records.map(({ type }) => type)).toEqual(["CallIntended", "CallCompleted"]);
    const all = JSON.stringify(records);
    expect(all).not.toContain(pan);
    expect(all).toContain(maskedPan);
    const { request } = records[0]!.data as { request: Payload };
    const sealed = gateway.originals.find(
      (event) => (event.data as OriginalSealed).originalId === request.original?.id,
    );
    expect((sealed?.data as OriginalSealed | undefined)?.sha256).toBe(request.original?.sha256);
    expect(
      gateway.originals.some(({ type, subject }) => type === "SessionKeyWrapped" && subject === sessionId),
    ).toBe(true);
  });

  it("masks a stream message by message, whatever the chunks are", async () => {
    const { token, sessionId } = await gateway.session();
    gateway.upstream.respond = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const progress = `event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"card ${pan}"}}\n\n`;
      const untouched = `id: 5\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1.50}}\n\n`;
      const text = `${progress}${untouched}data: ${result(1, `é ${pan}`)}\n\n`;
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
      response.end();
    };
    const text = await (await gateway.post(token, call("query", {}))).text();
    expect(text).not.toContain(pan);
    expect(text.split(maskedPan)).toHaveLength(3);
    expect(text).toContain(
      `id: 5\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1.50}}\n\n`,
    );
    const records = await gateway.recordsOf(sessionId, (types) => types.includes("CallCompleted"));
    expect(records.map(({ type }) => type)).toEqual([
      "CallIntended",
      "MessageRecorded",
      "MessageRecorded",
      "CallCompleted",
    ]);
  });

  it("lets nobody else use an MCP session", async () => {
    gateway.upstream.respond = (body, response) => {
      const { id } = JSON.parse(body) as { id: number };
      response
        .writeHead(200, { "content-type": "application/json", "mcp-session-id": "up-1" })
        .end(result(id, "hello"));
    };
    const mine = await gateway.session();
    const first = await gateway.post(mine.token, { jsonrpc: "2.0", id: 1, method: "initialize", params: {} });
    const mcpSessionId = first.headers.get("mcp-session-id") ?? "";
    await gateway.post(
      mine.token,
      { jsonrpc: "2.0", id: 2, method: "tools/list" },
      { "mcp-session-id": mcpSessionId },
    );
    expect(gateway.upstream.received[1]?.headers["mcp-session-id"]).toBe("up-1");
    const other = await gateway.session({
      principal: { id: "company:other", kind: "human", groups: ["engineers"] },
    });
    const stolen = await gateway.post(
      other.token,
      { jsonrpc: "2.0", id: 3, method: "tools/list" },
      { "mcp-session-id": mcpSessionId },
    );
    expect(stolen.status).toBe(404);
    expect(gateway.upstream.received).toHaveLength(2);
  });

  it("fails closed on an answer that it cannot read", async () => {
    const { token, sessionId } = await gateway.session();
    gateway.upstream.respond = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(`{"id":1,"result":"${pan}"`);
    };
    const text = await (await gateway.post(token, call("query", {}))).text();
    expect(text).not.toContain(pan);
    const records = await gateway.recordsOf(sessionId, (types) => types.includes("CallCompleted"));
    expect(records.at(-1)?.data).toMatchObject({ outcome: "upstream_failed" });
  });

  describe("holds a call that needs an approval", () => {
    const requested = (sessionId: string): RequestApproval | undefined =>
      gateway.commands
        .map(({ data }) => data as RequestApproval)
        .find((data) => data.sessionId === sessionId);

    const decided = async (sessionId: string, type: string, more: object = {}): Promise<void> => {
      await until(() => requested(sessionId) !== undefined, "an approval is asked for");
      await gateway.decide(requested(sessionId)!, type, more);
    };

    it("and runs it once after it was granted", async () => {
      const { token, sessionId } = await gateway.session();
      const answering = gateway.post(token, call("refund", { amount_cents: 50_000, pan }));
      await until(() => requested(sessionId) !== undefined, "an approval is asked for");
      expect(gateway.upstream.received).toEqual([]);
      expect(requested(sessionId)?.arguments).toBe(`{"amount_cents":50000,"pan":"${maskedPan}"}`);
      await decided(sessionId, "ApprovalGranted");
      expect(await (await answering).text()).toContain("fine");
      expect(gateway.upstream.received).toHaveLength(1);
      const records = await gateway.recordsOf(sessionId, (types) => types.includes("CallCompleted"));
      expect(records.map(({ type }) => type)).toEqual([
        "CallIntended",
        "CallHeld",
        "CallReleased",
        "CallCompleted",
      ]);
    });

    it("and never after it was denied", async () => {
      const { token, sessionId } = await gateway.session();
      const answering = gateway.post(token, call("refund", {}));
      await decided(sessionId, "ApprovalDenied", { comment: "too much" });
      expect(await (await answering).text()).toContain("too much");
      expect(gateway.upstream.received).toEqual([]);
    });

    it("and takes up the approval when the client left and asks again for exactly the same", async () => {
      const { token, sessionId } = await gateway.session();
      const leaving = new AbortController();
      const first = fetch(gateway.endpointUrl, {
        method: "POST",
        signal: leaving.signal,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(call("refund", { amount_cents: 1 })),
      });
      await first;
      leaving.abort();
      await gateway.recordsOf(sessionId, (types) => types.includes("CallCompleted"));
      await decided(sessionId, "ApprovalGranted");
      const other = gateway.post(token, call("refund", { amount_cents: 2 }, 2));
      const again = await gateway.post(token, call("refund", { amount_cents: 1 }, 3));
      expect(await again.text()).toContain("fine");
      expect(gateway.upstream.received.map(({ body }) => (JSON.parse(body) as { id: number }).id)).toEqual([
        3,
      ]);
      const third = gateway.post(token, call("refund", { amount_cents: 1 }, 4));
      await until(
        () =>
          gateway.commands.filter(({ data }) => (data as RequestApproval).sessionId === sessionId).length ===
          3,
        "a used approval is not used again",
      );
      await gateway.publishSessionEvent("SessionRevoked", sessionId, {
        sessionId,
        principalId: "company:engineer",
        endpoint: gateway.endpointName,
        by: { id: "company:admin" },
        reason: "test",
      });
      expect(await (await other).text()).toContain("revoked");
      expect(await (await third).text()).toContain("revoked");
      expect(gateway.upstream.received).toHaveLength(1);
    });
  });

  it("numbers and chains its records without a gap", async () => {
    const ours = gateway.traffic.filter(({ data }) => {
      const { recorder } = data as { recorder: { id: string } };
      return recorder.id === recorderId(gateway);
    });
    expect(ours.length).toBeGreaterThan(10);
    let previous: EventMessage | undefined;
    for (const event of ours) {
      const { recorder } = event.data as { recorder: { seq: number; prevHash: string } };
      const before = (previous?.data as { recorder: { seq: number } } | undefined)?.recorder.seq ?? -1;
      expect(recorder.prevHash).toBe(previous ? leafHashHex(previous) : "0".repeat(64));
      expect(recorder.seq).toBe(before + 1);
      previous = event;
    }
  });

  it("prints neither cards nor secrets nor tokens in its log and metrics", async () => {
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    for (const text of [gateway.logLines.join("\n"), metrics]) {
      expect(text).not.toContain(pan);
      expect(text).not.toContain(upstreamSecret);
      expect(text).not.toContain("eyJ");
    }
  });
});

const recorderId = (gateway: GatewayFixture): string => {
  const mine = gateway.traffic.findLast(
    ({ data }) => (data as { endpoint?: string }).endpoint === gateway.endpointName,
  );
  return (mine!.data as { recorder: { id: string } }).recorder.id;
};
