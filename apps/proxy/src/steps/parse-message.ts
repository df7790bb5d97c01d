import { Refusal, rpcCodes } from "../refusal.js";

export type RpcId = string | number | null;

/** A JSON-RPC 2.0 message by its kind. Only what the proxy decides by is looked at; everything else passes. */
export type JsonRpcMessage =
  | {
      readonly kind: "request";
      readonly id: string | number;
      readonly method: string;
      readonly params: unknown;
    }
  | { readonly kind: "notification"; readonly method: string; readonly params: unknown }
  | { readonly kind: "response"; readonly id: RpcId; readonly result?: unknown; readonly error?: unknown };

/** Tells the kind of a parsed JSON value; undefined where it is no JSON-RPC message. */
export function classify(value: unknown): JsonRpcMessage | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const message = value as Record<string, unknown>;
  if (message["jsonrpc"] !== "2.0") return undefined;
  const { id, method, params } = message;
  if (typeof method === "string") {
    if (id === undefined) return { kind: "notification", method, params };
    return typeof id === "string" || typeof id === "number"
      ? { kind: "request", id, method, params }
      : undefined;
  }
  if (method !== undefined || !("result" in message || "error" in message)) return undefined;
  if (typeof id !== "string" && typeof id !== "number" && id !== null && id !== undefined) return undefined;
  return { kind: "response", id: id ?? null, result: message["result"], error: message["error"] };
}

/** Reads a client's message. The text was found to be strict JSON without duplicate keys before. */
export function parseMessage(text: string): JsonRpcMessage {
  const message = classify(JSON.parse(text));
  if (message) return message;
  throw new Refusal("malformed", "This is not a JSON-RPC 2.0 message.", {
    httpStatus: 400,
    rpcCode: rpcCodes.invalidRequest,
  });
}

/** The tool, resource or prompt that a request is about. */
export function targetOf(message: JsonRpcMessage): string | undefined {
  if (message.kind === "response") return undefined;
  const { params } = message;
  if (typeof params !== "object" || params === null) return undefined;
  const { name, uri } = params as { name?: unknown; uri?: unknown };
  if (typeof name === "string") return name;
  return typeof uri === "string" ? uri : undefined;
}

/** The token under which the client wants to hear of progress. */
export function progressTokenOf(message: JsonRpcMessage): string | number | undefined {
  if (message.kind !== "request" || typeof message.params !== "object" || message.params === null)
    return undefined;
  const { _meta: meta } = message.params as { _meta?: unknown };
  if (typeof meta !== "object" || meta === null) return undefined;
  const { progressToken } = meta as { progressToken?: unknown };
  return typeof progressToken === "string" || typeof progressToken === "number" ? progressToken : undefined;
}
