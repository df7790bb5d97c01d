import type { EventMessage } from "@countersign/contracts";
import { canonicalJson, depthMax, type LeaveOut, pointerOf } from "./canonical-json.js";
import { CanonicalizationRefused, LeafTooLarge } from "./errors.js";
import { leafHashHexOf, sha256Hex } from "./hashes.js";

/**
 * A leaf holds digests in place of payloads, so it stays within the 64 KiB of a tlog-tiles entry as a rule. Only its
 * findings can make it longer (some 250 bytes each): this leaves room for about 4,000 of them.
 */
export const leafBytesMax = 1024 * 1024;

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isPayload = (value: JsonObject): value is JsonObject & { text: string; sha256: string } =>
  typeof value["text"] === "string" && typeof value["sha256"] === "string";

const hasRestOfPayload = (value: JsonObject): boolean =>
  ["sha256", "bytes", "contentType", "findings"].every((name) => Object.hasOwn(value, name));

const isPayloadWithoutText = (value: JsonObject): boolean =>
  !Object.hasOwn(value, "text") && hasRestOfPayload(value);

/** `null` says that whoever hands on the record keeps the text back, since card data was found in it later. */
const isWithheld = (value: JsonObject): boolean => value["text"] === null && hasRestOfPayload(value);

/** A text that a digest beside it stands for. */
const digestedText: LeaveOut = (value) => (isPayload(value) || isWithheld(value) ? "text" : undefined);

/**
 * The bytes of a record that the log's Merkle tree is built over: its canonical form (RFC 8785) with long texts
 * represented by their digests.
 *
 * - The `text` of every payload is left out; its `sha256` stands for it. A text that is withheld (`null`) is left out too.
 * - The `sealed` of an OriginalSealed is left out; its `sha256` stands for it.
 * - The `wrapped` of a SessionKeyWrapped becomes `wrappedSha256`, so that a destroyed key leaves the proof whole.
 *
 * The digests are not checked here: call `verifyPayloads` before trusting the texts. A record whose `sealed` or
 * `wrapped` was already taken out (`wrappedSha256` in its place) has the same leaf. Throws `CanonicalizationRefused`
 * and `LeafTooLarge`.
 */
export const leafOf = (event: EventMessage): Uint8Array => Buffer.from(leafTextOf(event));

function leafTextOf(event: EventMessage): string {
  const record = {
    id: event.id,
    type: event.type,
    source: event.source,
    subject: event.subject,
    time: event.time,
    ...(event.cause === undefined ? {} : { cause: event.cause }),
    data: withoutCiphertext(event),
  };
  const leaf = canonicalJson(record, digestedText);
  const bytes = Buffer.byteLength(leaf);
  if (bytes > leafBytesMax) throw new LeafTooLarge(bytes, leafBytesMax);
  return leaf;
}

/** RFC 6962 leaf hash of a record as lower-case hexadecimal: what `prevHash` and the audit service name it by. */
export const leafHashHex = (event: EventMessage): string => leafHashHexOf(leafTextOf(event));

/**
 * JSON Pointers, from the event, of the objects whose text is missing or is not what their `sha256` says. Empty for a
 * record that can be trusted as far as its leaf can.
 */
export function verifyPayloads(event: EventMessage): string[] {
  const wrong: string[] = [];
  collectPayloads(event.data, isWrong, wrong);
  if (event.type === "OriginalSealed" && isObject(event.data) && Object.hasOwn(event.data, "sealed")) {
    if (!isDigestOf(event.data["sealed"], event.data["sha256"])) wrong.push("/data");
  }
  return wrong;
}

/** JSON Pointers of the payloads whose text is withheld; `verifyPayloads` names them as well, since nobody can check them. */
export function withheldPayloads(event: EventMessage): string[] {
  const withheld: string[] = [];
  collectPayloads(event.data, isWithheld, withheld);
  return withheld;
}

/**
 * The data of a record as it may be kept for good: a `sealed` is left out, and `wrappedSha256` stands in place of a
 * `wrapped`, so that destroying the key elsewhere destroys it everywhere. Its leaf is the same.
 */
export function withoutCiphertext(event: EventMessage): unknown {
  if (!isObject(event.data)) return event.data;
  if (event.type === "OriginalSealed" && typeof event.data["sealed"] === "string") {
    const { sealed: _, ...rest } = event.data;
    return rest;
  }
  if (event.type === "SessionKeyWrapped" && typeof event.data["wrapped"] === "string") {
    const { wrapped, ...rest } = event.data;
    if (Object.hasOwn(rest, "wrappedSha256")) {
      throw new CanonicalizationRefused(
        "the key and its digest may not stand side by side",
        "/data/wrappedSha256",
      );
    }
    return { ...rest, wrappedSha256: sha256Hex(wrapped) };
  }
  return event.data;
}

const isWrong = (value: JsonObject): boolean =>
  isPayloadWithoutText(value) ||
  isWithheld(value) ||
  (isPayload(value) && !isDigestOf(value.text, value.sha256));

function collectPayloads(
  value: unknown,
  wanted: (payload: JsonObject) => boolean,
  found: string[],
  path: string[] = ["data"],
): void {
  if (path.length > depthMax + 1) {
    throw new CanonicalizationRefused(`it is nested deeper than ${depthMax}`, "/data");
  }
  if (typeof value !== "object" || value === null) return;
  if (isObject(value) && wanted(value)) found.push(pointerOf(path));
  for (const [name, member] of Object.entries(value)) {
    path.push(name);
    collectPayloads(member, wanted, found, path);
    path.pop();
  }
}

/** A lone surrogate becomes U+FFFD in UTF-8, so an ill-formed text would share its digest with another one. */
const isDigestOf = (text: unknown, digest: unknown): boolean =>
  typeof text === "string" && text.isWellFormed() && sha256Hex(text) === digest;
