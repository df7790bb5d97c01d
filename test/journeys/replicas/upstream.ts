import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createMcpHandler, fromJsonSchema, inputRequired, McpServer } from "@modelcontextprotocol/server";
import { Server as LegacyServer } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  CallToolRequestSchema,
  isInitializeRequest,
  ListToolsRequestSchema,
  ResultSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { keepAliveMs } from "./round-robin.js";
import { Events } from "../../conformance/servers/events.js";

export const toolNames = ["echo", "work", "ask", "resume", "announce", "approved"] as const;
export const questions = ["sampling", "elicitation", "roots"] as const;
export type Question = (typeof questions)[number];

const inputSchema = {
  type: "object" as const,
  properties: { mark: { type: "string" as const }, how: { type: "string" as const } },
  required: ["mark"],
};
type Given = { mark: string; how?: Question };

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const says = (text: string) => ({ content: [{ type: "text" as const, text }] });

/** What a question looks like; it names the call it belongs to, so that its records can be found. */
const elicitation = (mark: string) => ({
  message: `Answer for ${mark}`,
  requestedSchema: {
    type: "object" as const,
    properties: { word: { type: "string" as const } },
    required: ["word"],
  },
});
const sampling = (mark: string) => ({
  messages: [{ role: "user" as const, content: { type: "text" as const, text: `Answer for ${mark}` } }],
  maxTokens: 10,
});
const asked = {
  sampling: { method: "sampling/createMessage", params: sampling },
  elicitation: { method: "elicitation/create", params: elicitation },
  roots: { method: "roots/list", params: (mark: string) => ({ _meta: { mark } }) },
} as const;

/** MCP servers of both eras that count what reaches them, by the mark that each call carries. */
export class CountingUpstream {
  /** How often each mark was delivered; the second round of a question that is asked by an answer counts apart. */
  readonly delivered = new Map<string, number>();
  readonly cancelled: unknown[] = [];
  readonly #servers: Server[] = [];
  readonly #transports = new Map<string, StreamableHTTPServerTransport>();
  initialized = 0;
  urls = { sessions: "", stateless: "" };

  async start(): Promise<this> {
    this.urls = {
      sessions: await this.#serve((request, response) => void this.#legacy(request, response)),
      stateless: await this.#serve(this.#modern()),
    };
    return this;
  }

  stop(): void {
    for (const server of this.#servers) server.close().closeAllConnections();
  }

  #count(text: string): unknown {
    const body = JSON.parse(text) as {
      method?: string;
      params?: { arguments?: Given; inputResponses?: object; requestId?: unknown };
    };
    if (body.method === "notifications/cancelled") this.cancelled.push(body.params?.requestId);
    const mark = body.method === "tools/call" ? body.params?.arguments?.mark : undefined;
    if (mark === undefined) return body;
    const key = body.params?.inputResponses === undefined ? mark : `${mark} answered`;
    this.delivered.set(key, (this.delivered.get(key) ?? 0) + 1);
    return body;
  }

  async #serve(listener: RequestListener): Promise<string> {
    const server = createServer({ keepAliveTimeout: keepAliveMs }, listener);
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  }

  async #legacy(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = request.method === "POST" ? this.#count(await textOf(request)) : undefined;
    const id = request.headers["mcp-session-id"];
    const transport =
      typeof id === "string"
        ? this.#transports.get(id)
        : isInitializeRequest(body)
          ? await this.#open()
          : undefined;
    if (transport) await transport.handleRequest(request, response, body);
    else {
      const error = { code: -32_000, message: "There is no such session." };
      response.writeHead(id === undefined ? 400 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error }));
    }
  }

  async #open(): Promise<StreamableHTTPServerTransport> {
    this.initialized += 1;
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: 50,
      onsessioninitialized: (id) => void this.#transports.set(id, transport),
    });
    const server = new LegacyServer(
      { name: "sessions", version: "1.0.0" },
      { capabilities: { tools: { listChanged: true }, logging: {} } },
    );
    server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: toolNames.map((name) => ({ name, inputSchema })),
    }));
    server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
      const { mark, how = "elicitation" } = params.arguments as Given;
      const progressToken = params._meta?.progressToken;
      switch (params.name as (typeof toolNames)[number]) {
        case "work":
          if (progressToken === undefined) break;
          for (let progress = 1; progress <= 3; progress += 1) {
            await extra.sendNotification({
              method: "notifications/progress",
              params: { progressToken, progress, message: `${mark} goes on` },
            });
            await pause(5);
          }
          break;
        case "ask": {
          const { method, params: question } = asked[how];
          const answer = await extra.sendRequest({ method, params: question(mark) }, ResultSchema);
          return says(`${mark} ${JSON.stringify(answer)}`);
        }
        case "resume":
          await pause(10);
          extra.closeSSEStream?.();
          await pause(20);
          break;
        case "announce":
          await server.sendToolListChanged();
          break;
        case "echo":
        case "approved":
      }
      return says(mark);
    });
    await server.connect(transport);
    return transport;
  }

  #modern(): RequestListener {
    const handler = createMcpHandler(() => modernServer(() => handler.notify.toolsChanged()), {
      legacy: "reject",
    });
    const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const left = new AbortController();
      response.on("close", () => left.abort());
      const body = request.method === "POST" ? await textOf(request) : undefined;
      if (body !== undefined) this.#count(body);
      const answer = await handler.fetch(
        new Request(`http://${request.headers.host}/mcp`, {
          method: request.method ?? "GET",
          headers: new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
          signal: left.signal,
          ...(body === undefined ? {} : { body }),
        }),
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.flushHeaders();
      if (answer.body) await pipeline(Readable.fromWeb(answer.body as never), response);
      else response.end();
    };
    return (request, response) => void handle(request, response).catch(() => response.destroy());
  }
}

function modernServer(toolsChanged: () => void): McpServer {
  const server = new McpServer(
    { name: "stateless", version: "1.0.0" },
    { capabilities: { tools: { listChanged: true } } },
  );
  for (const name of toolNames) {
    const schema = fromJsonSchema<Given>(inputSchema);
    server.registerTool(
      name,
      { description: name, inputSchema: schema },
      async ({ mark, how }, { mcpReq }) => {
        const progressToken = mcpReq._meta?.progressToken;
        if (name === "work" && progressToken !== undefined) {
          await mcpReq.notify({
            method: "notifications/progress",
            params: { progressToken, progress: 1, message: `${mark} goes on` },
          });
        }
        if (name === "announce") toolsChanged();
        if (name !== "ask") return says(mark);
        const answers = mcpReq.inputResponses;
        if (answers !== undefined) return says(`${mark} ${JSON.stringify(answers)}`);
        return inputRequired({ inputRequests: { answer: modernQuestion(mark, how) } });
      },
    );
  }
  return server;
}

function modernQuestion(mark: string, how: Question | undefined) {
  switch (how) {
    case "sampling":
      return inputRequired.createMessage(sampling(mark));
    case "roots":
      return inputRequired.listRoots();
    case "elicitation":
    case undefined:
      return inputRequired.elicit(elicitation(mark));
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
