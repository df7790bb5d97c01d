import { createHmac } from "node:crypto";
import type { HoldOpened } from "@countersign/contracts";
import type { Entry } from "@countersign/service-kit";
import type { Admitted, Message } from "../exchange.js";
import type { CallRecords, KeptRequest } from "../evidence/call-records.js";
import type { Draft } from "../evidence/recorder.js";
import type { Gateway } from "../gateway.js";
import type { Verdict } from "../holds.js";
import { parseLossless } from "../json/lossless-json.js";
import { Refusal } from "../refusal.js";
import type { Reply } from "../reply.js";
import { stoppingReason } from "../waiting.js";
import type { Decision } from "./decide.js";
import { holdEvent } from "./hold-event.js";
import { type JsonRpcMessage, progressTokenOf, targetOf } from "./parse-message.js";

/**
 * The digest an approval is bound to: this endpoint, this method, these parameters to the last digit. It is keyed,
 * because a plain hash of a short message with a card number in it could be searched for the number (PCI DSS 3.5.1.1).
 */
export function requestDigest(key: Uint8Array, endpoint: string, rpc: JsonRpcMessage, text: string): string {
  const { _meta: _, ...params } = (parseLossless(text) as { params?: Record<string, unknown> }).params ?? {};
  const method = rpc.kind === "response" ? "" : rpc.method;
  return createHmac("sha256", key)
    .update(JSON.stringify(["request digest v1", endpoint, method, params]))
    .digest("hex");
}

export interface HoldEnd {
  readonly approvalId: string;
  readonly verdict: Verdict | "left";
  /** Whether the hold stays for the same call asked again, here or at another proxy. */
  readonly stays: boolean;
}

const progressMs = 10_000;
/** How long the log may take to say which of several calls took up a hold. */
const takeMsMax = 3_000;

/**
 * Holds a call until another person decides it. Intent, hold and the request for an approval are durable before
 * anything is waited for. The client gets a stream with a sign of life; if it leaves, or the proxy stops, the hold
 * stays for when it asks for exactly the same call again.
 */
export async function hold(
  gateway: Gateway,
  call: {
    admitted: Admitted;
    message: Message;
    records: CallRecords;
    kept: KeptRequest;
    decision: Decision;
    reply: Reply;
  },
  cancelled: AbortSignal,
): Promise<HoldEnd> {
  const { admitted, message, records, kept, decision, reply } = call;
  const { session, endpoint, ended } = admitted;
  const key = gateway.config.FINGERPRINT_KEY_FILE;
  const digest = requestDigest(key, endpoint.name, message.rpc, message.text);
  const before = await takeUp(gateway, session.sessionId, digest, records.callId);
  const approvalId = before ?? gateway.clock.newId();
  const drafts: Draft[] = [records.intended(kept, decision), records.held(approvalId, digest)];
  if (before) await gateway.recorder.record(drafts, kept.alongside);
  else {
    const now = gateway.clock.now();
    const expiresAt = new Date(now.getTime() + endpoint.approval.expirySeconds * 1_000);
    const request = approvalRequest(gateway, call, { approvalId, digest, expiresAt });
    if (gateway.holds.full)
      throw new Refusal("too_large", "Too many calls wait for an approval; try again later.");
    const opened: HoldOpened = {
      approvalId,
      sessionId: session.sessionId,
      callId: records.callId,
      requestDigest: digest,
      expiresAt: expiresAt.toISOString(),
    };
    gateway.holds.opened(opened, now);
    const told = holdEvent(gateway, "HoldOpened", opened);
    try {
      await gateway.recorder.record(drafts, [...kept.alongside, told, request]);
    } catch (error) {
      gateway.holds.drop(approvalId);
      throw error;
    }
  }
  kept.stored();
  reply.startStream();
  const progress = signsOfLife(reply, message.rpc, approvalId);
  try {
    const left = AbortSignal.any([reply.left, ended, cancelled]);
    const verdict = await gateway.holds.wait(approvalId, left);
    const isOver = ended.aborted || (cancelled.aborted && cancelled.reason !== stoppingReason);
    if (verdict === "left" && isOver) withdraw(gateway, approvalId);
    return { approvalId, verdict, stays: verdict === "left" && !isOver };
  } finally {
    clearInterval(progress);
  }
}

/** The approval that the same call waited for before, if nobody waits for it now and nobody else takes it up. */
async function takeUp(
  gateway: Gateway,
  sessionId: string,
  digest: string,
  callId: string,
): Promise<string | undefined> {
  const approvalId = gateway.holds.abandoned(sessionId, digest);
  if (approvalId === undefined) return undefined;
  await gateway.eventLog.append(holdEvent(gateway, "HoldTaken", { approvalId, sessionId, callId }));
  return (await gateway.holds.won(approvalId, callId, takeMsMax)) ? approvalId : undefined;
}

function approvalRequest(
  gateway: Gateway,
  { admitted, message, records }: { admitted: Admitted; message: Message; records: CallRecords },
  about: { approvalId: string; digest: string; expiresAt: Date },
): Entry {
  const { session, endpoint, scanner } = admitted;
  const { params } = parseLossless(message.scanned.masked) as {
    params?: { arguments?: unknown };
  };
  return {
    topic: "approval.commands",
    event: {
      id: gateway.clock.newId(),
      type: "RequestApproval",
      source: "proxy",
      subject: about.approvalId,
      time: gateway.clock.now().toISOString(),
      data: {
        approvalId: about.approvalId,
        kind: "call",
        callId: records.callId,
        sessionId: session.sessionId,
        requester: session.principal,
        client: session.client,
        endpoint: endpoint.name,
        tool: scanner.mask(targetOf(message.rpc) ?? ""),
        arguments: readable(JSON.stringify(params?.arguments ?? params ?? {})),
        requestDigest: about.digest,
        justification: session.justification,
        expiresAt: about.expiresAt.toISOString(),
      },
    },
  };
}

const argumentsCharactersMax = 64 * 1_024;

/** Nobody can approve what they cannot read. */
function readable(text: string): string {
  if (text.length <= argumentsCharactersMax) return text;
  throw new Refusal(
    "too_large",
    "The call is too long for a person to approve; split it or make it shorter.",
  );
}

/** Takes the question back; nobody needs to decide any more. Best effort: an approval without a hold opens nothing. */
export function withdraw(gateway: Gateway, approvalId: string): void {
  gateway.holds.drop(approvalId);
  const event = {
    id: gateway.clock.newId(),
    type: "WithdrawApproval" as const,
    source: "proxy" as const,
    subject: approvalId,
    time: gateway.clock.now().toISOString(),
    data: { approvalId, reason: "the held call ended" },
  };
  gateway.eventLog.append({ topic: "approval.commands", event }).catch((error: unknown) => {
    gateway.log.warn({ error, approvalId }, "an approval could not be withdrawn; it will expire");
  });
}

/** Clients that count progress as a sign of life do not give up while a person thinks. */
function signsOfLife(reply: Reply, rpc: JsonRpcMessage, approvalId: string): NodeJS.Timeout | undefined {
  const progressToken = progressTokenOf(rpc);
  if (progressToken === undefined) return undefined;
  let progress = 0;
  const tell = (): void => {
    progress += 1;
    const params = { progressToken, progress, message: `Waiting for approval ${approvalId}` };
    void reply.write(
      `event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params })}\n\n`,
    );
  };
  tell();
  return setInterval(tell, progressMs);
}
