/** A JSON-RPC request as far as the fixture looks at it. */
export interface Rpc {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: {
    readonly protocolVersion?: string;
    readonly arguments?: { readonly bytes?: number; readonly messages?: number };
  };
}

const texts = new Map<number, string>();

/** Prose with the digits that business text has, and no card. */
function textOf(bytes: number): string {
  const known = texts.get(bytes);
  if (known !== undefined) return known;
  const sentence =
    "Order 48210 for Ada Example was paid on 2026-11-03 with 129.90 EUR and shipped in 2 parcels. ";
  const text = sentence.repeat(Math.ceil(bytes / sentence.length)).slice(0, bytes);
  texts.set(bytes, text);
  return text;
}

const integer = { type: "integer" };
const tool = {
  name: "read",
  description: "Answers with text.",
  inputSchema: { type: "object", properties: { bytes: integer, messages: integer } },
};

function resultOf({ method, params }: Rpc): unknown {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion ?? "2025-06-18",
        capabilities: { tools: {}, logging: {} },
        serverInfo: { name: "bench", version: "1.0.0" },
      };
    case "tools/list":
      return { tools: [tool] };
    case "tools/call":
      return { content: [{ type: "text", text: textOf(params?.arguments?.bytes ?? 1_024) }] };
    default:
      return {};
  }
}

/** The messages that answer a request, the response last; none for a notification. */
export function answerTo(rpc: Rpc): string[] {
  if (rpc.id === undefined) return [];
  const messages = Math.max(1, rpc.params?.arguments?.messages ?? 1);
  const log = {
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { level: "info", data: textOf(200) },
  };
  const response = { jsonrpc: "2.0", id: rpc.id, result: resultOf(rpc) };
  return [...Array.from({ length: messages - 1 }, () => JSON.stringify(log)), JSON.stringify(response)];
}
