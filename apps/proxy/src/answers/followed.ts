import type { StreamMemory } from "@countersign/card-data";
import type { Scanned, Scanner } from "../evidence/payloads.js";
import { classify, type JsonRpcMessage } from "../steps/parse-message.js";

/** Names and secrets that a client only carries; to alter them would break what they are for. */
const notContent =
  /^\/(?:jsonrpc|method|id|params\/(?:progressToken|requestId)|(?:params|result)\/(?:requestState|_meta\b.*))$/;

/**
 * A message of a stream, masked also where it goes on with a card that messages before it began: messages of the same
 * method and the same progress go on with each other, at the same place in them.
 */
export const followed = (scanned: Scanned, scanner: Scanner, memory: StreamMemory): Scanned =>
  scanner.follow(scanned, memory, () => ({
    about: aboutOf(classify(JSON.parse(scanned.masked))),
    isContent: (path) => !notContent.test(path),
  }));

function aboutOf(rpc: JsonRpcMessage | undefined): string {
  if (rpc === undefined) return "";
  if (rpc.kind === "response") return JSON.stringify([rpc.kind, rpc.id]);
  const { progressToken, _meta: meta } = membersOf(rpc.params);
  const { "io.modelcontextprotocol/subscriptionId": subscription } = membersOf(meta);
  return JSON.stringify([rpc.kind, rpc.method, progressToken, subscription]);
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
