import type { CallOutcome } from "@countersign/contracts";
import { type Entry, LogUnavailable } from "@countersign/service-kit";
import { reached } from "../evidence/moments.js";
import type { Draft } from "../evidence/recorder.js";
import type { Call, Member } from "../call.js";
import { requestNamed, stoppingReason } from "../waiting.js";
import type { Gateway } from "../gateway.js";
import { decide } from "./decide.js";
import { hold, type HoldEnd } from "./hold.js";
import { holdEvent } from "./hold-event.js";
import { tell } from "./tell.js";

/**
 * Holds a call until it is decided. Answers whether it is to be forwarded; where it is not, its outcome is on the log
 * and its client was told.
 */
export async function awaitApproval(
  gateway: Gateway,
  call: Call,
  { message, decision, records }: Member,
): Promise<boolean> {
  const { admitted, reply } = call;
  const id = message.rpc.kind === "request" ? message.rpc.id : null;
  const kept = await records.keepRequest(message.scanned, call.headers);
  const { sessionId } = admitted.session;
  const named = requestNamed(gateway.config.FINGERPRINT_KEY_FILE, sessionId, id);
  const { cancelled, done } = gateway.waiting.add(named);
  let end: HoldEnd;
  try {
    end = await hold(gateway, { admitted, message, records, kept, decision, reply }, cancelled);
  } finally {
    done();
  }
  const { approvalId, verdict } = end;
  const ended = holdEvent(gateway, "HoldEnded", { approvalId, sessionId });
  try {
    if (verdict !== "left" && verdict.verdict === "granted") {
      // Policy may have changed while a person thought.
      const engine = gateway.policy.engine ?? admitted.engine;
      decide({ ...admitted, engine }, message.rpc, gateway.clock.now());
      await gateway.recorder.record(
        [records.released(approvalId, verdict.requestDigest, verdict.by)],
        [ended],
      );
      reached("release recorded");
      return true;
    }
  } catch (error) {
    // The intent is on the log, so this ends in an outcome and not in a refusal.
    const detail = error instanceof LogUnavailable ? error.message : "policy no longer permits the call";
    await record(gateway, records.completed("not_forwarded", { approvalId, detail }), ended);
    tell(call, detail);
    return false;
  }
  const [outcome, text] = unapproved(verdict, admitted.ended, cancelled);
  const left = { approvalId, sessionId, callId: records.callId };
  await record(
    gateway,
    records.completed(outcome, { approvalId, detail: admitted.scanner.mask(text) }),
    end.stays ? holdEvent(gateway, "HoldLeft", left) : ended,
  );
  // The view would learn of it a moment later, and the client may ask again before.
  if (end.stays) gateway.holds.left(left);
  if (outcome === "cancelled") tell(call, text);
  else {
    // A tool's caller reads this as a tool error.
    const result = { content: [{ type: "text", text }], isError: true };
    reply.json(200, { jsonrpc: "2.0", id, result });
  }
  return false;
}

const record = (gateway: Gateway, draft: Draft, alongside: Entry): Promise<unknown> =>
  gateway.recorder.record([draft], [alongside]).catch(() => gateway.recorder.recordEventually(draft));

function unapproved(
  verdict: HoldEnd["verdict"],
  ended: AbortSignal,
  cancelled: AbortSignal,
): [CallOutcome, string] {
  if (verdict === "left") {
    if (cancelled.reason === stoppingReason) {
      return ["cancelled", "This gateway is stopping; ask again, and the approval is taken up where it is."];
    }
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
