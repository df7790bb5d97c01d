import { type JsonRpcMessage, progressTokenOf } from "../steps/parse-message.js";
import { extentAtPointer } from "./extents.js";
import { splice } from "./splice.js";

/** Longer ones are content. */
const idUnitsMax = 100;

/**
 * Where a message names what its reader knows it by, as JSON Pointers with the names: the JSON-RPC id, the token of its
 * progress, the request that is cancelled. These are no content: a library chose them, and one in many looks like a
 * card number by chance.
 */
export function ownIdsOf(rpc: JsonRpcMessage): ReadonlyMap<string, string | number> {
  const ids: [string, unknown][] = rpc.kind === "notification" ? [] : [["/id", rpc.id]];
  ids.push(["/params/_meta/progressToken", progressTokenOf(rpc)]);
  if (rpc.kind === "notification") {
    const params = (rpc.params ?? {}) as Readonly<Record<string, unknown>>;
    if (rpc.method === "notifications/progress") ids.push(["/params/progressToken", params["progressToken"]]);
    if (rpc.method === "notifications/cancelled") ids.push(["/params/requestId", params["requestId"]]);
  }
  return new Map(ids.filter((entry): entry is [string, string | number] => isId(entry[1])));
}

const isId = (value: unknown): boolean =>
  typeof value === "number" || (typeof value === "string" && value.length <= idUnitsMax);

/** The masked text of a message with what stands in these places of `message`. Both texts are strict JSON. */
export function withOwnIds(message: string, masked: string, places: Iterable<string>): string {
  const replacements = [...places].flatMap((place) => {
    const [from, to] = [extentAtPointer(message, place), extentAtPointer(masked, place)];
    return from && to ? [{ ...to, text: message.slice(from.start, from.end) }] : [];
  });
  return splice(
    masked,
    replacements.toSorted((a, b) => a.start - b.start),
  );
}
