import type { IncomingHttpHeaders } from "node:http";
import { JsonRefused } from "@countersign/card-data";
import type { Message, Received } from "../exchange.js";
import { findingsMax, type Scanned, type Scanner } from "../evidence/payloads.js";
import { elementsOf, rootExtent, rootSign } from "../json/extents.js";
import { Refusal, rpcCodes } from "../refusal.js";
import { parseMessage } from "./parse-message.js";
import { decodeUtf8, readBody } from "./read-body.js";
import type { Trail } from "./refuse.js";

export interface Posted {
  readonly body: Uint8Array;
  readonly messages: readonly [Message, ...Message[]];
}

/** A batch is decided, recorded and answered as a whole, so it is kept small. */
export const batchMessagesMax = 100;

/** Reads what was posted: body, UTF-8, strict JSON, card data, JSON-RPC. The trail learns what a refusal's record keeps. */
export async function readMessages(
  received: Received,
  bytesMax: number,
  scanner: Scanner,
  trail: Trail,
): Promise<Posted> {
  const body = await readBody(received.headers, received.body, bytesMax);
  const text = decodeUtf8(body);
  try {
    const texts = rootSign(text) === "[" ? textsOfBatch(text, received.headers, scanner, trail) : [text];
    trail.messages = texts.map((message) => ({ scanned: countable(scanner.json(message), trail) }));
    const messages = texts.map((message, index): Message => {
      const seen = trail.messages[index] ?? { scanned: scanner.json(message) };
      seen.rpc = parseMessage(message);
      return { text: message, scanned: seen.scanned, rpc: seen.rpc };
    });
    refuseDoubleIds(messages);
    return { body, messages: messages as [Message, ...Message[]] };
  } catch (cause) {
    if (!(cause instanceof JsonRefused)) throw cause;
    // The record of the refusal keeps the text, masked as text, since it is no JSON to mask as such.
    trail.messages = [{ scanned: scanner.unparsed(text) }];
    throw new Refusal("malformed", cause.message, { httpStatus: 400, rpcCode: rpcCodes.parse, cause });
  }
}

/**
 * The messages of a JSON-RPC batch, which only revision 2025-03-26 and those that name no version have. Throws
 * JsonRefused for what is not strict JSON.
 */
function textsOfBatch(text: string, headers: IncomingHttpHeaders, scanner: Scanner, trail: Trail): string[] {
  trail.messages = [{ scanned: scanner.json(text) }];
  const version = headers["mcp-protocol-version"];
  if (version !== undefined && version !== "2025-03-26") {
    throw invalid("unsupported", `MCP ${String(version)} has no batches; send the messages one by one.`);
  }
  const elements = elementsOf(text, rootExtent(text));
  if (elements.length === 0) throw invalid("malformed", "The batch is empty.");
  if (elements.length > batchMessagesMax) {
    throw invalid("too_large", `The batch holds more than ${batchMessagesMax} messages; send fewer at once.`);
  }
  trail.batch = true;
  return elements.map(({ start, end }) => text.slice(start, end));
}

/** Two calls with one id could not be told apart by their answers. */
function refuseDoubleIds(messages: readonly Message[]): void {
  const ids = messages.flatMap(({ rpc }) => (rpc.kind === "request" ? [rpc.id] : []));
  if (new Set(ids).size < ids.length) throw invalid("malformed", "Two calls of the batch have the same id.");
}

const invalid = (reason: "unsupported" | "malformed" | "too_large", message: string): Refusal =>
  new Refusal(reason, message, { httpStatus: 400, rpcCode: rpcCodes.invalidRequest });

function countable(scanned: Scanned, trail: Trail): Scanned {
  if (scanned.findings.length <= findingsMax) return scanned;
  trail.messages = [{ scanned }];
  throw new Refusal(
    "too_large",
    `The message holds more than ${findingsMax} pieces of card data; send fewer.`,
    { httpStatus: 413 },
  );
}
