import type { Finding } from "@countersign/contracts";
import { isOpaque, opaqueReason, withheld, withoutOpaque } from "../evidence/withhold.js";
import { extentAt } from "../json/extents.js";
import { rpcCodes } from "../refusal.js";
import type { Scanned } from "../evidence/payloads.js";
import type { JsonRpcMessage } from "../steps/parse-message.js";

interface Deliverable {
  readonly scanned: Scanned;
  readonly delivered: string;
  readonly rpc: JsonRpcMessage | undefined;
}

/**
 * A server's message where the endpoint lets no content pass that cannot be searched: an answer becomes an error that
 * says so, whatever else the server sends loses that content, and the record does not keep it. `shown` are the findings
 * in what is delivered, which stand elsewhere than in what the server sent where entries of a list were left out.
 */
export function withoutOpaqueContent<T extends Deliverable>(
  message: T,
  shown: readonly Finding[],
): T & { readonly detail?: string } {
  const { scanned, rpc, delivered } = message;
  if (!scanned.findings.some(isOpaque)) return message;
  const kept = { ...message, scanned: withheld(scanned), detail: `${opaqueReason}, so it was withheld` };
  if (rpc?.kind !== "response") return { ...kept, delivered: withoutOpaque(delivered, shown) };
  const error = {
    code: rpcCodes.refused,
    message: `The answer was withheld: ${opaqueReason}. Ask for it as text.`,
    data: { code: "opaque_content" },
  };
  const at = extentAt(delivered, ["id"]);
  // The id as it is written, so that it keeps every digit.
  const id = at ? delivered.slice(at.start, at.end) : "null";
  return {
    ...kept,
    delivered: `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`,
    rpc: { kind: "response", id: rpc.id, error },
  };
}
