import { JsonRefused } from "@countersign/card-data";
import type { Message, Received } from "../exchange.js";
import { findingsMax, type Scanned, type Scanner } from "../evidence/payloads.js";
import { Refusal, rpcCodes } from "../refusal.js";
import { parseMessage } from "./parse-message.js";
import { decodeUtf8, readBody } from "./read-body.js";

/** Reads one message: body, UTF-8, strict JSON, card data, JSON-RPC. `seen` learns what a refusal's record may keep. */
export async function readMessage(
  received: Received,
  bytesMax: number,
  scanner: Scanner,
  seen: (scanned: Scanned) => void,
): Promise<Message> {
  const bytes = await readBody(received.headers, received.body, bytesMax);
  const text = decodeUtf8(bytes);
  const scanned = scanStrictly(text, scanner, seen);
  seen(scanned);
  if (scanned.findings.length > findingsMax) {
    throw new Refusal(
      "too_large",
      `The message holds more than ${findingsMax} pieces of card data; send fewer.`,
      {
        httpStatus: 413,
      },
    );
  }
  return { bytes, scanned, rpc: parseMessage(text) };
}

function scanStrictly(text: string, scanner: Scanner, seen: (scanned: Scanned) => void): Scanned {
  try {
    return scanner.json(text);
  } catch (cause) {
    if (!(cause instanceof JsonRefused)) throw cause;
    // The record of the refusal keeps the text, masked as text, since it is no JSON to mask as such.
    seen(scanner.text(text));
    throw new Refusal("malformed", cause.message, { httpStatus: 400, rpcCode: rpcCodes.parse, cause });
  }
}
