import type { CallOutcome } from "@countersign/contracts";
import { JsonRefused } from "@countersign/card-data";
import type { CallRecords } from "../evidence/call-records.js";
import { reached } from "../evidence/moments.js";
import { findingsMax, type Scanned } from "../evidence/payloads.js";
import type { Draft } from "../evidence/recorder.js";
import type { Gateway } from "../gateway.js";
import type { Reply } from "../reply.js";
import { classify, type JsonRpcMessage } from "./parse-message.js";
import type { Forwarded } from "./forward.js";

/** How a call's answer ends it. */
export function outcomeOf(answer: JsonRpcMessage | undefined, httpStatus: number): CallOutcome {
  if (answer?.kind === "response") {
    if (answer.error !== undefined) return "error";
    const { result } = answer;
    const isToolError =
      typeof result === "object" && result !== null && "isError" in result && result.isError === true;
    return isToolError ? "tool_error" : "result";
  }
  return httpStatus < 400 ? "result" : "error";
}

/** An answer that cannot be delivered, with what its record keeps of it. */
export class AnswerRefused extends Error {
  override readonly name = "AnswerRefused";
  constructor(
    message: string,
    readonly scanned?: Scanned,
  ) {
    super(message);
  }
}

/**
 * Relays an answer that comes as one body: read whole and bounded, masked, recorded, then delivered. `record` makes the
 * record of what is about to be delivered.
 */
export async function relayWhole(
  gateway: Gateway,
  forwarded: Forwarded,
  call: {
    records: CallRecords;
    reply: Reply;
    bytesMax: number;
    headers: Record<string, string>;
    record: (
      outcome: CallOutcome,
      httpStatus: number,
      response: Awaited<ReturnType<CallRecords["keep"]>>,
    ) => Draft;
  },
): Promise<void> {
  const { records, reply, bytesMax } = call;
  const { status, headers } = forwarded.answer;
  const text = await readText(forwarded, bytesMax);
  reached("upstream answered");
  const contentType = headers["content-type"] ?? (text === "" ? undefined : "text/plain");
  const scanned = scanAnswer(gateway, text, contentType);
  assertCountable(scanned);
  const answer =
    contentType?.startsWith("application/json") && text ? classify(JSON.parse(scanned.masked)) : undefined;
  const kept = await records.keep(scanned, "server_to_client");
  await gateway.recorder.record([call.record(outcomeOf(answer, status), status, kept)], kept.alongside);
  kept.stored();
  reply.send(status, contentType, scanned.masked, call.headers);
}

/** An answer with more card data than a record can list is not delivered. */
export function assertCountable(scanned: Scanned): void {
  if (scanned.findings.length <= findingsMax) return;
  throw new AnswerRefused(`it holds more than ${findingsMax} pieces of card data`, scanned);
}

function scanAnswer(gateway: Gateway, text: string, contentType: string | undefined): Scanned {
  if (!contentType?.startsWith("application/json") || text === "") {
    return gateway.scanner.text(text, contentType ?? "text/plain");
  }
  try {
    return gateway.scanner.json(text, contentType);
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    throw new AnswerRefused(
      "the upstream's answer is not strict JSON",
      gateway.scanner.text(text, contentType),
    );
  }
}

async function readText({ answer, alive }: Forwarded, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    alive();
    bytes += chunk.length;
    if (bytes > bytesMax) {
      answer.body.destroy();
      throw new AnswerRefused("the upstream's answer is larger than this endpoint takes");
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new AnswerRefused("the upstream's answer is not valid UTF-8");
  }
}
