import type { IncomingHttpHeaders } from "node:http";
import { Refusal, rpcCodes } from "../refusal.js";

const bodyMsMax = 30_000;

/** Reads a POST's body as UTF-8 JSON text, bounded in bytes and time. */
export async function readBody(
  headers: IncomingHttpHeaders,
  body: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array> {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new Refusal("malformed", "Send the message as application/json.", { httpStatus: 415 });
  }
  if (Number(headers["content-length"] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const deadline = Date.now() + bodyMsMax;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    if (Date.now() > deadline)
      throw new Refusal("malformed", "The body took too long to arrive.", { httpStatus: 408 });
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
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
