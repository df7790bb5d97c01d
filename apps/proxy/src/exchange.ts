import type { IncomingHttpHeaders } from "node:http";
import type { Endpoint, SessionGranted } from "@countersign/contracts";
import type { PolicyEngine, ToolAnnotations } from "@countersign/policy";
import type { Scanned, Scanner } from "./evidence/payloads.js";
import type { JsonRpcMessage } from "./steps/parse-message.js";

/** What a client sent, before anything is believed of it. */
export interface Received {
  readonly httpMethod: "POST" | "GET" | "DELETE";
  readonly endpointName: string;
  readonly headers: IncomingHttpHeaders;
  readonly clientAddress: string;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The session that a verified token names. */
export interface Admitted {
  readonly endpoint: Endpoint;
  readonly engine: PolicyEngine;
  readonly session: SessionGranted;
  /** Searches by the card-data policy of this endpoint. */
  readonly scanner: Scanner;
  /** Aborts when the session is revoked or expires; its reason says which. */
  readonly ended: AbortSignal;
  /** What is known of a tool of this endpoint; `changedTo` names a definition that nobody accepted yet. */
  readonly toolOf: (name: string) => KnownTool | undefined;
}

export interface KnownTool {
  readonly annotations: ToolAnnotations | undefined;
  readonly changedTo?: string;
}

/** One JSON-RPC message of an admitted client, scanned for card data. */
export interface Message {
  readonly text: string;
  readonly scanned: Scanned;
  readonly rpc: JsonRpcMessage;
}

export type Era = "legacy" | "modern";

const firstModern = "2026-07-28";

/** The era a request belongs to: the modern one names its version in a header and has no session. */
export function eraOf(headers: IncomingHttpHeaders): Era {
  const version = headers["mcp-protocol-version"];
  const isDate = typeof version === "string" && /^\d{4}-\d\d-\d\d$/.test(version);
  return isDate && version >= firstModern ? "modern" : "legacy";
}
