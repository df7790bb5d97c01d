import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Agent } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bearer, type Credential } from "../credentials/issued.js";
import type { UpstreamRequest } from "../upstream.js";
import { HttpUpstream } from "./http.upstream.js";

const secret = "canary-secret-5f2a";
let server: Server;
let port: number;
let seen: IncomingMessage[];
let respond: (request: IncomingMessage, response: ServerResponse) => void;
let tokens: string[];
let agent: Agent;

beforeEach(async () => {
  [seen, tokens, agent] = [[], [secret], new Agent()];
  respond = (_, response) => response.end("{}");
  server = createServer((request, response) => {
    seen.push(request);
    request.resume().on("end", () => respond(request, response));
  });
  port = await listen(0);
});
afterEach(async () => {
  await agent.destroy();
  server.closeAllConnections();
  server.close();
});

const listen = (wanted: number): Promise<number> =>
  new Promise((resolve) => {
    server.listen(wanted, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
const stop = () => new Promise<unknown>((resolve) => void server.close(resolve));

const credential: Credential = {
  issue: async () => bearer(tokens[0] ?? ""),
  reissue: async () => {
    if (tokens.length < 2) return undefined;
    tokens.shift();
    return bearer(tokens[0] ?? "");
  },
};
const send = (changes: Partial<UpstreamRequest> = {}) =>
  new HttpUpstream(
    {
      url: `http://127.0.0.1:${port}/mcp`,
      credential: { type: "none" },
      timeoutSeconds: 5,
      forwardHeaders: [],
    },
    { calls: agent, streams: agent, credential },
  ).send({
    httpMethod: "POST",
    listens: false,
    headers: { "content-type": "application/json", authorization: "Bearer of-the-client" },
    body: Buffer.from('{"refund":1}'),
    signal: AbortSignal.timeout(15_000),
    session: { id: "s", ended: new AbortController().signal },
    ...changes,
  });

describe("a request to a server of streamable HTTP", () => {
  it("is never made twice once it may have arrived", async () => {
    respond = (request) => request.socket.destroy();
    await expect(send()).rejects.toMatchObject({ code: "upstream_broke_off", sent: true });
    respond = (_, response) => response.writeHead(503).end();
    expect((await send()).status).toBe(503);
    expect(seen).toHaveLength(2);
  });

  it("fails as not made where nobody listens", async () => {
    await stop();
    await expect(send()).rejects.toMatchObject({ code: "upstream_unavailable", sent: false });
  });

  it("is made when the server comes back a moment after it could not be reached", async () => {
    await stop();
    const sending = send();
    await expect.poll(() => refusedAt(port)).toBe(true);
    await listen(port);
    expect((await sending).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  it("is not tried again after its client left", async () => {
    await stop();
    const leave = new AbortController();
    const sending = send({ signal: leave.signal });
    setTimeout(() => leave.abort(), 50);
    await expect(sending).rejects.toThrow(/aborted/);
    await listen(port);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(seen).toEqual([]);
  });

  it("carries the gateway's credential and not the client's, which does not come back", async () => {
    respond = (request, response) => {
      const echo = request.headers.authorization ?? "";
      response.writeHead(200, { "mcp-session-id": echo, "content-type": "text/event-stream" });
      response.write(`data: ${echo.slice(0, 15)}`);
      setTimeout(() => response.end(`${echo.slice(15)}\n\n`), 20);
    };
    const { headers, body } = await send();
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${secret}`);
    expect(headers["mcp-session-id"]).toBe("Bearer [upstream credential removed]");
    expect(await text(body)).toBe("data: Bearer [upstream credential removed]\n\n");
  });

  it("is made once more where the server refused a credential that was replaced meanwhile, and only then", async () => {
    respond = (request, response) =>
      response.writeHead(request.headers.authorization?.includes("second") ? 200 : 401).end();
    expect((await send()).status).toBe(401);
    expect(seen).toHaveLength(1);
    tokens = [secret, "canary-second"];
    expect((await send()).status).toBe(200);
    expect(seen).toHaveLength(3);
    [tokens, seen] = [["a-a-a-a-a", "b-b-b-b-b", "c-c-c-c-c"], []];
    expect((await send()).status).toBe(401);
    expect(seen).toHaveLength(2);
  });
});

const refusedAt = (wanted: number): Promise<boolean> =>
  new Promise((resolve) => {
    connect(wanted, "127.0.0.1")
      .on("connect", () => resolve(false))
      .on("error", () => resolve(true));
  });
