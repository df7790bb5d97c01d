import { LogUnavailable } from "@countersign/service-kit";
import type { SessionGranted } from "@countersign/contracts";
import { payloadOf, refused } from "../evidence/call-records.js";
import type { Scanned, Scanner } from "../evidence/payloads.js";
import { keptOf } from "../evidence/withhold.js";
import type { Received } from "../exchange.js";
import type { Gateway } from "../gateway.js";
import { Refusal, rpcCodes } from "../refusal.js";
import type { Reply } from "../reply.js";
import { type JsonRpcMessage, targetOf } from "./parse-message.js";

/** What was known of a request when it was refused. */
export interface Trail {
  readonly callId: string;
  session?: SessionGranted;
  /** By the policy of the endpoint, as soon as it is known. */
  scanner?: Scanner;
  bundleVersion?: string;
  messages: { readonly scanned: Scanned; rpc?: JsonRpcMessage }[];
  batch?: true;
}

/**
 * Refuses a request: recorded first, then answered. Only the invitation to log in, which every client meets once, is no
 * record. If the record cannot be written, the refusal still stands and its record follows as soon as it can.
 */
export async function refuse(
  gateway: Gateway,
  received: Received,
  trail: Trail,
  error: unknown,
  reply: Reply,
): Promise<void> {
  const refusal = asRefusal(error);
  gateway.metrics.refusals.inc({ reason: refusal.reason });
  if (!(error instanceof Refusal) && !(error instanceof LogUnavailable)) {
    gateway.log.error({ error, callId: trail.callId }, "a request failed");
  }
  if (refusal.reason !== "token_missing") await record(gateway, received, trail, refusal);
  answer(gateway, received, trail, refusal, reply);
}

const asRefusal = (error: unknown): Refusal => {
  if (error instanceof Refusal) return error;
  if (error instanceof LogUnavailable) {
    return new Refusal(
      "evidence_unavailable",
      "Evidence cannot be written at the moment, so the call was refused and nothing was forwarded; try again later.",
      { cause: error },
    );
  }
  return new Refusal(
    "evidence_unavailable",
    "The gateway failed, so the call was refused; try again later.",
    {
      rpcCode: rpcCodes.internal,
      cause: error,
    },
  );
};

/** Each message of a batch has a record of its own; a request of which nothing could be read has one as well. */
async function record(gateway: Gateway, received: Received, trail: Trail, refusal: Refusal): Promise<void> {
  const scanner = trail.scanner ?? gateway.scanner;
  const mask = (text: string): string => (scanner.ready ? scanner.mask(text) : "");
  const common = {
    reason: refusal.reason,
    detail: mask(refusal.message),
    clientAddress: received.clientAddress,
    endpoint: mask(received.endpointName.slice(0, 100)),
    session: trail.session,
    ...(refusal.policies.length === 0 ? {} : { policies: [...refusal.policies] }),
    ...(trail.bundleVersion === undefined ? {} : { bundleVersion: trail.bundleVersion }),
  };
  const [first, ...others] = trail.messages.map(({ scanned, rpc }) => {
    const target = rpc ? targetOf(rpc) : undefined;
    return {
      request: payloadOf(keptOf(scanned, scanner.opaque)),
      ...(rpc && rpc.kind !== "response" ? { method: mask(rpc.method) } : {}),
      ...(target === undefined ? {} : { target: mask(target) }),
    };
  });
  const drafts = [
    refused({ callId: trail.callId, ...common, ...first }),
    ...others.map((message) => refused({ callId: gateway.clock.newId(), ...common, ...message })),
  ];
  if (refusal.reason === "evidence_unavailable") gateway.recorder.recordEventually(...drafts);
  else await gateway.recorder.record(drafts).catch(() => gateway.recorder.recordEventually(...drafts));
}

function answer(gateway: Gateway, received: Received, trail: Trail, refusal: Refusal, reply: Reply): void {
  const headers = challenge(gateway, received, refusal);
  const ids = trail.messages.flatMap(({ rpc }) => (rpc?.kind === "request" ? [rpc.id] : []));
  const data = { code: refusal.reason, callId: trail.callId };
  const error = { code: refusal.rpcCode, message: refusal.message, data };
  if (trail.batch && refusal.httpStatus === 200 && ids.length > 0) {
    const answers = ids.map((id) => ({ jsonrpc: "2.0", id, error }));
    reply.json(200, answers, headers);
    return;
  }
  const id = trail.batch ? null : (ids[0] ?? null);
  // Where there is no id to answer to, a refusal has to be a status.
  const status = refusal.httpStatus === 200 && id === null ? 400 : refusal.httpStatus;
  reply.json(status, { jsonrpc: "2.0", id, error }, headers);
}

/** RFC 9728 §5.1: where a client learns how to get a token. */
function challenge(
  gateway: Gateway,
  received: Received,
  { reason, httpStatus }: Refusal,
): Record<string, string> {
  if (httpStatus !== 401) return {};
  const metadata = `${gateway.config.GATEWAY_URL}/.well-known/oauth-protected-resource/mcp/${encodeURIComponent(received.endpointName)}`;
  const error = reason === "token_missing" ? "" : `error="invalid_token", `;
  return { "www-authenticate": `Bearer ${error}resource_metadata="${metadata}"` };
}
