import type { CallOutcome } from "@countersign/contracts";
import type { Entry } from "@countersign/service-kit";
import type { Draft } from "../evidence/recorder.js";
import type { Call } from "../call.js";
import type { Outstanding } from "../outstanding.js";
import type { JsonRpcMessage } from "../steps/parse-message.js";
import type { ToolFact } from "../tools/tool-book.js";
import type { AnswerMessage } from "./read-answer.js";

/** Records about to be written, with what has to be durable along with them. */
export interface Batch {
  readonly drafts: Draft[];
  readonly facts: ToolFact[];
  readonly alongside: Entry[];
  /** Each to be called once the batch is durable. */
  readonly stored: (() => void)[];
}

export const emptyBatch = (): Batch => ({ drafts: [], facts: [], alongside: [], stored: [] });

/** How a call's answer ends it. */
export function outcomeOf(answer: JsonRpcMessage | undefined, httpStatus: number): CallOutcome {
  if (answer?.kind !== "response") return httpStatus < 400 ? "result" : "error";
  if (answer.error !== undefined) return "error";
  const { result } = answer;
  const isToolError =
    typeof result === "object" && result !== null && "isError" in result && result.isError === true;
  return isToolError ? "tool_error" : "result";
}

/** Adds the record of one message: the outcome of the call that it answers, or a message of its own. */
export async function recordMessage(
  batch: Batch,
  { scanned, rpc, facts = [], leftOut, detail }: AnswerMessage,
  call: Call,
  outstanding: Outstanding,
  httpStatus: number,
): Promise<void> {
  batch.facts.push(...facts);
  const ended = rpc?.kind === "response" ? outstanding.take(rpc.id) : undefined;
  const records = ended ?? call.records;
  const kept = await records.keep(scanned, "server_to_client", leftOut);
  batch.alongside.push(...kept.alongside);
  batch.stored.push(kept.stored);
  batch.drafts.push(
    ended
      ? ended.completed(outcomeOf(rpc, httpStatus), {
          response: kept.payload,
          httpStatus,
          latencyMs: latencyMsOf(call),
          ...(detail === undefined ? {} : { detail }),
        })
      : records.message("server_to_client", rpc?.kind ?? "response", kept.payload),
  );
}

/** Adds the outcome of every call that is still open: this answer, which names none of them, is the answer of all. */
export async function recordForAll(
  batch: Batch,
  { scanned, rpc, facts = [], leftOut, detail }: AnswerMessage,
  call: Call,
  outstanding: Outstanding,
  httpStatus: number,
): Promise<void> {
  batch.facts.push(...facts);
  const kept = await call.records.keep(scanned, "server_to_client", leftOut);
  batch.alongside.push(...kept.alongside);
  batch.stored.push(kept.stored);
  const more = {
    response: kept.payload,
    httpStatus,
    latencyMs: latencyMsOf(call),
    ...(detail === undefined ? {} : { detail }),
  };
  for (const records of outstanding.takeAll()) {
    batch.drafts.push(records.completed(outcomeOf(rpc, httpStatus), more));
  }
}

const latencyMsOf = ({ startedAt }: Call): number => Math.round(performance.now() - startedAt);
