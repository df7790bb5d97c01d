import type { IncomingHttpHeaders } from "node:http";
import { Refusal, rpcCodes } from "../refusal.js";

export const bodyMsMax = 30_000;

/** Reads a POST's body as UTF-8 JSON text, bounded in bytes and time. */
export async function readBody(
  headers: IncomingHttpHeaders,
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array> {
  if (!jsonInUtf8.test(headers["content-type"] ?? "")) {
    throw new Refusal("malformed", "Send the message as application/json, in UTF-8.", { httpStatus: 415 });
  }
  if (Number(headers["content-length"] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const pieces = body[Symbol.asyncIterator]();
  const { promise: late, reject } = Promise.withResolvers<never>();
  late.catch(() => undefined);
  const timer = setTimeout(() => {
    reject(new Refusal("malformed", "The body took too long to arrive.", { httpStatus: 408 }));
  }, bodyMsMax);
  try {
    for (let next = await nextOf(pieces, late); !next.done; next = await nextOf(pieces, late)) {
      bytes += next.value.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      chunks.push(next.value);
    }
  } finally {
    clearTimeout(timer);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/**
 * A server that believes another charset would read another message than the one that was looked at. Other parameters
 * pass where they are plain enough to hide none.
 */
const jsonInUtf8 =
  /^\s*application\/json\s*(?:;\s*(?:charset=(?:utf-?8|"utf-?8")|(?!charset)[\w-]{1,60}=[\w.+-]{1,60})\s*)*;?\s*$/i;

/** The next piece, unless the body stalls or breaks off before its end. */
async function nextOf(
  pieces: AsyncIterator<Uint8Array>,
  late: Promise<never>,
): Promise<IteratorResult<Uint8Array>> {
  try {
    return await Promise.race([pieces.next(), late]);
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal("malformed", "The body broke off before its end.", { httpStatus: 400, cause });
  }
}

/** Decodes strictly: a message that is not UTF-8 could mean one thing here and another upstream. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Refusal("malformed", "The message is not valid UTF-8.", {
      httpStatus: 400,
      rpcCode: rpcCodes.parse,
      cause,
    });
  }
}

const tooLarge = (bytesMax: number): Refusal =>
  new Refusal("too_large", `The message is larger than this endpoint takes (${bytesMax} bytes).`, {
    httpStatus: 413,
  });
