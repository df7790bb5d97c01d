import type { CallOutcome } from "@countersign/contracts";
import { LogUnavailable } from "@countersign/service-kit";
import { reached } from "../evidence/moments.js";
import type { Draft } from "../evidence/recorder.js";
import type { Call, Member } from "../call.js";
import type { Gateway } from "../gateway.js";
import { decide } from "./decide.js";
import { hold, type HoldEnd } from "./hold.js";
import type { RpcId } from "./parse-message.js";
import { tell } from "./tell.js";

/** The calls of this process that wait for an approval, so that their clients can cancel them. */
export class Waiting {
  readonly #calls = new Map<string, AbortController>();

  add(sessionId: string, id: RpcId): { cancelled: AbortSignal; done: () => void } {
    const key = JSON.stringify([sessionId, id]);
    const controller = new AbortController();
    this.#calls.set(key, controller);
    return { cancelled: controller.signal, done: () => void this.#calls.delete(key) };
  }

  /** Ends the wait of the call that this message cancels; false where it cancels none that waits here. */
  cancel(sessionId: string, { message: { rpc } }: Member): boolean {
    if (rpc.kind !== "notification" || rpc.method !== "notifications/cancelled") return false;
    const { requestId } = (rpc.params ?? {}) as { requestId?: RpcId };
    const waiting = this.#calls.get(JSON.stringify([sessionId, requestId]));
    waiting?.abort("its client cancelled it");
    return waiting !== undefined;
  }

  stop(): void {
    for (const waiting of this.#calls.values()) waiting.abort("the gateway is stopping");
  }
}

/**
 * Holds a call until it is decided. Answers whether it is to be forwarded; where it is not, its outcome is on the log
 * and its client was told.
 */
export async function awaitApproval(
  gateway: Gateway,
  call: Call,
  { message, decision, records }: Member,
  waiting: Waiting,
): Promise<boolean> {
  const { admitted, reply } = call;
  const id = message.rpc.kind === "request" ? message.rpc.id : null;
  const kept = await records.keep(message.scanned, "client_to_server");
  const { cancelled, done } = waiting.add(admitted.session.sessionId, id);
  let end: HoldEnd;
  try {
    end = await hold(gateway, { admitted, message, records, kept, decision, reply }, cancelled);
  } finally {
    done();
  }
  const { approvalId, verdict } = end;
  try {
    if (verdict !== "left" && verdict.verdict === "granted") {
      // Policy may have changed while a person thought.
      const engine = gateway.policy.engine ?? admitted.engine;
      decide({ ...admitted, engine }, message.rpc, gateway.clock.now());
      await gateway.recorder.record([records.released(approvalId, verdict.requestDigest, verdict.by)]);
      reached("release recorded");
      return true;
    }
  } catch (error) {
    // The intent is on the log, so this ends in an outcome and not in a refusal.
    const detail = error instanceof LogUnavailable ? error.message : "policy no longer permits the call";
    await record(gateway, records.completed("not_forwarded", { approvalId, detail }));
    tell(call, detail);
    return false;
  }
  const [outcome, text] = unapproved(verdict, admitted.ended);
  await record(gateway, records.completed(outcome, { approvalId, detail: admitted.scanner.mask(text) }));
  if (outcome === "cancelled") tell(call, text);
  else {
    // A tool's caller reads this as a tool error.
    const result = { content: [{ type: "text", text }], isError: true };
    reply.json(200, { jsonrpc: "2.0", id, result });
  }
  return false;
}

const record = (gateway: Gateway, draft: Draft): Promise<unknown> =>
  gateway.recorder.record([draft]).catch(() => gateway.recorder.recordEventually(draft));

function unapproved(verdict: HoldEnd["verdict"], ended: AbortSignal): [CallOutcome, string] {
  if (verdict === "left") {
    return ended.aborted
      ? ["cancelled", `The session ended (${String(ended.reason)}) before the call was approved.`]
      : ["cancelled", "The client stopped waiting for the approval."];
  }
  switch (verdict.verdict) {
    case "denied":
      return [
        "denied",
        `${verdict.byName} denied this call${verdict.comment ? `: ${verdict.comment}` : "."}`,
      ];
    case "expired":
      return ["approval_expired", "Nobody approved this call in time; it was not made. Ask for it again."];
    case "granted":
      return ["not_forwarded", "The call was approved but could not be made."];
  }
}
