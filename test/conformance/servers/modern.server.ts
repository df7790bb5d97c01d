import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  createMcpHandler,
  fromJsonSchema,
  type GetPromptResult,
  inputRequired,
  acceptedContent,
  type InputRequiredResult,
  type McpHttpHandler,
  McpServer,
  type ReadResourceResult,
  ResourceTemplate,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import {
  type Json,
  type JsonObject,
  type Prompt,
  prompts,
  readResource,
  resources,
  resourceTemplate,
} from "./content.ts";
import { isLocalHost, readText, sendJson } from "./http.ts";
import { type Answer, modernTools, states, taskTools } from "./modern-tools.ts";
import { TasksExtension, tasksExtensionId } from "./tasks-extension.ts";
import { type Tool, tools } from "./tools.ts";

/** An MCP server of revision 2026-07-28: no sessions, every request stands alone. */
export function modernServer(): RequestListener {
  const handler: McpHttpHandler = createMcpHandler(() => mcpServer(() => handler), { legacy: "reject" });
  const tasks = new TasksExtension();
  return (request, response) => {
    void handle(handler, tasks, request, response).catch(() => response.destroy());
  };
}

async function handle(
  handler: McpHttpHandler,
  tasks: TasksExtension,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isLocalHost(request)) {
    sendJson(response, 403, {
      jsonrpc: "2.0",
      id: null,
      error: { code: -32_000, message: "Not served here." },
    });
    return;
  }
  const left = new AbortController();
  response.on("close", () => left.abort());
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  const body = request.method === "POST" ? await readText(request) : undefined;
  const answered = body === undefined ? undefined : tasks.answer(parsed(body), request.headers);
  if (answered) {
    sendJson(response, answered.status, answered.message);
    return;
  }
  const answer = await handler.fetch(
    new Request(`http://${request.headers.host ?? "localhost"}${request.url ?? "/"}`, {
      method: request.method ?? "GET",
      headers,
      signal: left.signal,
      ...(body === undefined ? {} : { body }),
    }),
  );
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.flushHeaders();
  if (answer.body) await pipeline(Readable.fromWeb(answer.body), response).catch(() => undefined);
  else response.end();
}

function mcpServer(handler: () => McpHttpHandler): McpServer {
  const server = new McpServer(
    { name: "conformance-modern", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
        extensions: { [tasksExtensionId]: {} },
      },
      requestState: { verify: states.verify },
    },
  );
  for (const tool of tools) registerShared(server, tool);
  for (const { name, inputSchema, run } of [...modernTools(handler), ...taskTools]) {
    server.registerTool(
      name,
      { description: name, inputSchema: fromJsonSchema<JsonObject>(inputSchema) },
      (given, context): Promise<Answer> => Promise.resolve(run(context, given)),
    );
  }
  registerResources(server);
  for (const prompt of prompts) registerPrompt(server, prompt);
  registerAskingPrompt(server);
  server.server.setRequestHandler("completion/complete", () => ({
    completion: { values: [], total: 0, hasMore: false },
  }));
  return server;
}

/** JSON, or null where it is none; the SDK says what is wrong with it. */
function parsed(body: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return null;
  }
}

function registerShared(server: McpServer, tool: Tool): void {
  server.registerTool(
    tool.name,
    { description: tool.description, inputSchema: fromJsonSchema<JsonObject>(tool.inputSchema) },
    async (given, { mcpReq }): Promise<Answer> => {
      const answer = await tool.run(given, {
        progressToken: mcpReq._meta?.progressToken,
        notify: (method, params) => mcpReq.notify({ method, params }),
        ask: () => Promise.reject(new Error("This era asks by its answers.")),
        dropStream: () => undefined,
      });
      return answer as Answer;
    },
  );
}

function registerResources(server: McpServer): void {
  const read = (uri: URL): ReadResourceResult => {
    const content = readResource(uri.toString());
    return { contents: content ? [content as ReadResourceResult["contents"][number]] : [] };
  };
  for (const { name, uri, mimeType } of resources) server.registerResource(name, uri, { mimeType }, read);
  const template = new ResourceTemplate(resourceTemplate.uriTemplate, { list: undefined });
  server.registerResource(resourceTemplate.name, template, { mimeType: resourceTemplate.mimeType }, read);
}

function registerPrompt(server: McpServer, prompt: Prompt): void {
  const render = (given: Record<string, string>): GetPromptResult =>
    ({ messages: prompt.render(given) }) as unknown as GetPromptResult;
  if (prompt.arguments.length === 0) {
    server.registerPrompt(prompt.name, { description: "A prompt for testing" }, () => render({}));
    return;
  }
  const argsSchema = z.object(Object.fromEntries(prompt.arguments.map((name) => [name, z.string()])));
  server.registerPrompt(prompt.name, { description: "A prompt for testing", argsSchema }, (given) =>
    render(given),
  );
}

/** A prompt that needs to know something before it can be written. */
function registerAskingPrompt(server: McpServer): void {
  const render = (given: unknown): GetPromptResult | InputRequiredResult => {
    const { inputResponses } = (given as ServerContext).mcpReq;
    const answer = acceptedContent<{ context: string }>(inputResponses, "user_context");
    if (answer) return { messages: [{ role: "user", content: { type: "text", text: answer.context } }] };
    const properties = { context: { type: "string" as const } };
    const requestedSchema = { type: "object" as const, properties, required: ["context"] };
    const question = inputRequired.elicit({ message: "What context should it use?", requestedSchema });
    return inputRequired({ inputRequests: { user_context: question } });
  };
  server.registerPrompt("test_input_required_result_prompt", { description: "Asks first" }, render);
}
