import type { Scanner } from "../evidence/payloads.js";

/** What an answer is read as. */
export type Form = "json" | "stream" | "other";

const essencePattern = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/;
/** Clients look for these words in all sorts of ways, in parameters too. */
const wordsOfMcp = /json|event-stream/i;
const plainText = "text/plain; charset=utf-8";

/** What a server says that its answer is. Media types know no case, and parameters do not change what they name. */
export function formOf(contentType: string | undefined): Form {
  const essence = essenceOf(contentType);
  if (essence === "text/event-stream") return "stream";
  return /^application\/json|\+json$/.test(essence) ? "json" : "other";
}

/**
 * The content type under which an answer goes on, and into its record. It says what the answer was read as, so that no
 * client reads something else in it; it names no other encoding than the one it was searched in; and it holds no card.
 */
export function contentTypeFor(form: Form, given: string | undefined, scanner: Scanner): string {
  const essence = essenceOf(given);
  if (form === "json") return isClean(essence, scanner) ? withCharset(essence, given) : "application/json";
  if (wordsOfMcp.test(essence) || !isClean(essence, scanner)) return plainText;
  return withCharset(essence, given);
}

const essenceOf = (contentType: string | undefined): string =>
  (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

const isClean = (essence: string, scanner: Scanner): boolean =>
  essencePattern.test(essence) && scanner.mask(essence) === essence;

const withCharset = (essence: string, given: string | undefined): string =>
  /;\s*charset\s*=/i.test(given ?? "") ? `${essence}; charset=utf-8` : essence;
