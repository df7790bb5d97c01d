import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpUpstream } from "@countersign/contracts";
import { Agent } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bearer, type Credential } from "../credentials/issued.js";
import type { Wire } from "../duplex/wire.js";
import { openSse } from "./sse.wire.js";

const secret = "canary-secret-5f2a";
let server: Server;
let origin: string;
let stream: ServerResponse;
let posts: { body: string; headers: IncomingMessage["headers"] }[];
let onStream: (response: ServerResponse, request: IncomingMessage) => void;
let postStatus: number;
let messages: string[];
let closed: Error[];
let issued: string[];
let agent: Agent;
const wires: Wire[] = [];

beforeEach(async () => {
  [posts, messages, closed, postStatus] = [[], [], [], 202];
  issued = [secret, "canary-second-5f2a"];
  agent = new Agent();
  onStream = (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("event: endpoint\ndata: /messages?sessionId=1\n\n");
  };
  server = createServer((request, response) => {
    if (request.method === "GET") {
      stream = response;
      onStream(response, request);
      return;
    }
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      posts.push({ body, headers: request.headers });
      response.writeHead(postStatus).end("Accepted");
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await Promise.all(wires.splice(0).map((wire) => wire.close()));
  await agent.destroy();
  server.closeAllConnections();
  server.close();
});

const credential: Credential = {
  issue: async () => bearer(issued[0] ?? ""),
  reissue: async () => {
    issued.shift();
    return issued[0] === undefined ? undefined : bearer(issued[0]);
  },
};
const settings = (): HttpUpstream => ({
  transport: "sse",
  url: `${origin}/sse`,
  credential: { type: "none" },
  timeoutSeconds: 5,
  forwardHeaders: [],
});
const signal = () => AbortSignal.timeout(15_000);
const open = async (bytesMax = 10_000, given = signal()): Promise<Wire> => {
  const events = {
    message: (bytes: Buffer) => messages.push(bytes.toString()),
    logged: () => undefined,
    closed: (why: Error) => closed.push(why),
  };
  const tools = { calls: agent, streams: agent, credential };
  const wire = await openSse(
    settings(),
    bytesMax,
    tools,
    events,
    { "x-trace": "t", "last-event-id": "9" },
    given,
  );
  wires.push(wire);
  return wire;
};
const message = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}');

describe("a server of HTTP+SSE", () => {
  it.each([
    [
      "sends the gateway elsewhere with its credential",
      "event: endpoint\ndata: http://localhost:1/steal\n\n",
    ],
    ["names no place at all", "event: endpoint\n\n"],
  ])("is refused where it %s", async (_, event) => {
    onStream = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(event);
      setTimeout(() => response.end(), 50);
    };
    await expect(open()).rejects.toMatchObject({ code: "upstream_misbehaved", sent: false });
    expect(posts).toEqual([]);
  });

  it("is refused where it opens no stream, and given up with its client", async () => {
    onStream = (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>");
    await expect(open()).rejects.toMatchObject({ code: "upstream_broke_off" });
    onStream = (response) => response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    await expect(open(10_000, AbortSignal.timeout(100))).rejects.toBeDefined();
    await expect.poll(() => stream.closed).toBe(true);
  });

  it("fails loudly where it refuses the credential, and the error does not hold it", async () => {
    onStream = (response, request) => response.writeHead(401).end(request.headers.authorization);
    const error: unknown = await open().catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "upstream_credential_failed" });
    expect(String(error)).not.toContain("canary");
  });

  it("gets another credential once where it refuses the first", async () => {
    const seen: (string | undefined)[] = [];
    const fine = onStream;
    onStream = (response, request) => {
      seen.push(request.headers.authorization);
      if (seen.length === 1) response.writeHead(401).end();
      else fine(response, request);
    };
    await open();
    expect(seen).toEqual([`Bearer ${secret}`, "Bearer canary-second-5f2a"]);
  });

  it("is ended where a message does not end, or its stream does", async () => {
    await open(1_000);
    stream.write(`data: ${"x".repeat(2_000)}`);
    await expect.poll(() => closed.length).toBe(1);
    await open();
    stream.end();
    await expect.poll(() => closed.length).toBe(2);
  });

  it("is not asked twice where it fails to take a message", async () => {
    const wire = await open();
    postStatus = 500;
    await expect(wire.send(message, {}, signal())).rejects.toMatchObject({ sent: true });
    expect(posts).toHaveLength(1);
  });

  it("gets messages where it says, and answers on its stream without the credential", async () => {
    const wire = await open();
    const headers = { accept: "application/json, text/event-stream", "mcp-session-id": "x", "x-trace": "t1" };
    await wire.send(message, headers, signal());
    const [post] = posts;
    expect(post?.body).toBe(message.toString());
    expect(post?.headers).toMatchObject({ authorization: `Bearer ${secret}`, "x-trace": "t1" });
    expect(post?.headers["mcp-session-id"]).toBeUndefined();
    stream.write(
      `event: message\ndata: {"a":\ndata: "${secret}"}\n\nevent: other\ndata: {}\n\n: comment\n\n`,
    );
    await expect.poll(() => messages).toEqual(['{"a":\n"[upstream credential removed]"}']);
  });

  it("loses its stream when the session ends, and that is no failure", async () => {
    const wire = await open();
    await wire.close();
    await expect.poll(() => stream.closed).toBe(true);
    expect(closed).toEqual([]);
  });
});
