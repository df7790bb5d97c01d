import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

export type Sdk = "SDK 1.x" | "SDK 2.x";

/** A client of either SDK, as the journey needs it. */
export interface TestClient {
  readonly name: string;
  /** Calls a tool and answers all it said; what progress came is told by `heard`. */
  call(tool: string, given: Record<string, string>, heard?: () => void): Promise<string>;
  /** How many times it heard that tools changed. */
  readonly changes: () => number;
  close(): Promise<void>;
}

const identity = { name: "replicas", version: "1.0.0" };
const capabilities = { elicitation: {}, sampling: {}, roots: {} };
const reconnectionOptions = {
  initialReconnectionDelay: 50,
  maxReconnectionDelay: 500,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 60,
};
const callMsMax = 8_000;

/** The word that stands for an answer; it repeats what was asked, so that its record can be found. */
export const answerTo = (question: string): string => `answered: ${question}`;
const sampled = (question: string) => ({
  model: "none",
  role: "assistant" as const,
  content: { type: "text" as const, text: answerTo(question) },
});
const elicited = (question: string) => ({ action: "accept" as const, content: { word: answerTo(question) } });
const roots = { roots: [{ uri: "file:///replicas", name: "replicas" }] };

export const connect = (sdk: Sdk, name: string, url: string, token: string): Promise<TestClient> =>
  sdk === "SDK 1.x" ? connectFirst(name, url, token) : connectSecond(name, url, token);

async function connectFirst(name: string, url: string, token: string): Promise<TestClient> {
  const client = new Client(identity, { capabilities });
  let changes = 0;
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) =>
    sampled(JSON.stringify(params.messages)),
  );
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => elicited(params.message));
  client.setRequestHandler(ListRootsRequestSchema, () => roots);
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void (changes += 1));
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers }, reconnectionOptions }),
  );
  return {
    name,
    changes: () => changes,
    close: () => client.close(),
    async call(tool, given, heard) {
      const options = { timeout: callMsMax, ...(heard ? { onprogress: heard } : {}) };
      return JSON.stringify(await client.callTool({ name: tool, arguments: given }, undefined, options));
    },
  };
}

async function connectSecond(name: string, url: string, token: string): Promise<TestClient> {
  const client = new ModernClient(identity, { capabilities, versionNegotiation: { mode: "auto" } });
  let changes = 0;
  client.setRequestHandler("sampling/createMessage", ({ params }) =>
    sampled(JSON.stringify(params.messages)),
  );
  client.setRequestHandler("elicitation/create", ({ params }) => elicited(params.message));
  client.setRequestHandler("roots/list", () => roots);
  client.setNotificationHandler("notifications/tools/list_changed", () => void (changes += 1));
  const headers = { authorization: `Bearer ${token}` };
  await client.connect(new ModernTransport(new URL(url), { requestInit: { headers }, reconnectionOptions }));
  const closing = new AbortController();
  const listening = client.getNegotiatedProtocolVersion() === "2026-07-28" ? listen() : Promise.resolve();

  /** A stream that ends is for the client to open again: in this era nothing else is lost with it. */
  async function listen(): Promise<void> {
    while (!closing.signal.aborted) {
      const subscription = await client.listen({ toolsListChanged: true }).catch(() => undefined);
      if (subscription) await subscription.closed;
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  return {
    name,
    changes: () => changes,
    async close() {
      closing.abort();
      await client.close();
      await listening;
    },
    async call(tool, given, heard) {
      const options = { timeout: callMsMax, ...(heard ? { onprogress: heard } : {}) };
      return JSON.stringify(await client.callTool({ name: tool, arguments: given }, options));
    },
  };
}
