import type { Message } from "../exchange.js";
import { ownIdsOf, withOwnIds } from "../json/own-ids.js";
import { classify, type JsonRpcMessage, progressTokenOf } from "../steps/parse-message.js";
import type { Scanned } from "../evidence/payloads.js";

/** The names that a client gave its requests and their progress. */
export type OwnIds = ReadonlySet<string | number>;

export const ownIdsIn = (messages: readonly Message[]): OwnIds =>
  new Set(
    messages.flatMap(({ rpc }) => (rpc.kind === "request" ? [rpc.id, progressTokenOf(rpc) ?? rpc.id] : [])),
  );

const places: ReadonlySet<string> = new Set(["/id", "/params/progressToken"]);

/**
 * A server's message as its client gets it, with the client's own names in it as the client gave them: it could not
 * match a masked one, and learns nothing that it did not say. Names that a server gives stay masked. The record keeps
 * all of them masked.
 */
export function answeredByName(
  text: string,
  scanned: Scanned,
  delivered: string,
  own: OwnIds,
): { readonly delivered: string; readonly rpc: JsonRpcMessage | undefined } {
  const rpc = classify(JSON.parse(scanned.masked));
  if (!rpc || !scanned.findings.some(({ path }) => places.has(path))) return { delivered, rpc };
  const sent = classify(JSON.parse(text));
  if (!sent) return { delivered, rpc };
  const known = [...ownIdsOf(sent)].filter(([place, id]) => places.has(place) && own.has(id));
  const isKnown = known.some(([place]) => place === "/id");
  return {
    delivered: withOwnIds(
      text,
      delivered,
      known.map(([place]) => place),
    ),
    rpc: isKnown && rpc.kind === "response" && sent.kind === "response" ? { ...rpc, id: sent.id } : rpc,
  };
}
