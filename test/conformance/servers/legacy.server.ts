import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  isInitializeRequest,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  ResultSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { type JsonObject, prompts, readResource, resources, resourceTemplate } from "./content.ts";
import { Events } from "./events.ts";
import { isLocalHost, readJson, sendJson } from "./http.ts";
import { tools } from "./tools.ts";

const notFound = -32_002;
const invalidParams = -32_602;
const retryMs = 500;

/** An MCP server of the era of sessions, made with the SDK of that era. */
export function legacyServer(): RequestListener {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  return (request, response) => {
    void handle(transports, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  };
}

async function handle(
  transports: Map<string, StreamableHTTPServerTransport>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isLocalHost(request)) return sendJson(response, 403, problem("This host is not served."));
  const body = request.method === "POST" ? await readJson(request) : undefined;
  const id = request.headers["mcp-session-id"];
  const transport =
    typeof id === "string"
      ? transports.get(id)
      : isInitializeRequest(body)
        ? await open(transports)
        : undefined;
  if (!transport)
    return sendJson(response, id === undefined ? 400 : 404, problem("There is no such session."));
  await transport.handleRequest(request, response, body);
}

const problem = (message: string): JsonObject => ({
  jsonrpc: "2.0",
  id: null,
  error: { code: -32_000, message },
});

async function open(
  transports: Map<string, StreamableHTTPServerTransport>,
): Promise<StreamableHTTPServerTransport> {
  const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new Events(),
    retryInterval: retryMs,
    onsessioninitialized: (id) => void transports.set(id, transport),
    onsessionclosed: (id) => void transports.delete(id),
  });
  await mcpServer().connect(transport);
  return transport;
}

function mcpServer(): Server {
  const server = new Server(
    { name: "conformance-legacy", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
    },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, description, inputSchema }) => ({
      name,
      description,
      inputSchema: { ...inputSchema, type: "object" as const },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (!tool) throw new McpError(invalidParams, `There is no tool ${params.name}.`);
    return tool.run((params.arguments ?? {}) as JsonObject, {
      progressToken: params._meta?.progressToken,
      notify: (method, notice) => extra.sendNotification({ method, params: notice }),
      ask: async (method, question) =>
        (await extra.sendRequest({ method, params: question }, ResultSchema)) as JsonObject,
      dropStream: () => extra.closeSSEStream?.(),
    });
  });
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [...resources] }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [resourceTemplate],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => {
    const content = readResource(params.uri);
    if (!content) throw new McpError(notFound, "There is no such resource.", { uri: params.uri });
    return { contents: [content] };
  });
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: prompts.map((prompt) => ({
      name: prompt.name,
      description: "A prompt for testing",
      arguments: prompt.arguments.map((name) => ({ name, required: true })),
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = prompts.find(({ name }) => name === params.name);
    if (!prompt) throw new McpError(invalidParams, `There is no prompt ${params.name}.`);
    return { messages: prompt.render(params.arguments ?? {}) };
  });
  server.setRequestHandler(CompleteRequestSchema, () => ({
    completion: { values: [], total: 0, hasMore: false },
  }));
  for (const schema of [SetLevelRequestSchema, SubscribeRequestSchema, UnsubscribeRequestSchema]) {
    server.setRequestHandler(schema, () => ({}));
  }
  return server;
}
