import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { payload } from "./payload.js";
import { client, endpointName, id, principal, sha256 } from "./primitives.js";

/**
 * The recorder's own numbering, so that a record that vanished between proxy and log is a visible gap. `prevHash` is
 * the leaf hash of the record before in the same epoch, 64 zeros for the first. A failed append ends the epoch.
 */
export const recorder = z.object({
  id: z.string().describe("The proxy's stable name."),
  epoch: id,
  seq: z.int().nonnegative(),
  prevHash: sha256,
});
export type Recorder = z.infer<typeof recorder>;

export const era = z.enum(["legacy", "modern"]);

/** Who calls what: repeated on every record of a call, so that each can be read on its own. */
const callContext = {
  recorder,
  callId: id,
  sessionId: id,
  principal: principal.omit({ groups: true }),
  client,
  endpoint: endpointName,
  clientAddress: z.string().optional(),
  era,
  method: z.string().describe("JSON-RPC method."),
  target: z.string().optional().describe("Tool name, resource URI or prompt name, masked."),
};

const headers = payload
  .optional()
  .describe(
    "The client's headers that the request goes on with, as a JSON object; of a batch, on its first record. In place of a credential stands its keyed digest.",
  );

export const recorderStarted = define(
  "RecorderStarted",
  z.object({
    recorder,
    reason: z.enum(["start", "append_failed"]),
    previousEpoch: id.optional(),
  }),
  "A recorder begins a new epoch of numbers.",
);

export const recorderStopped = define(
  "RecorderStopped",
  z.object({ recorder }),
  "A recorder ended in good order; its epoch has no further record.",
);

export const callIntended = define(
  "CallIntended",
  z.object({
    ...callContext,
    request: payload,
    headers,
    decision: z.object({
      effect: z.enum(["allow", "hold"]),
      policies: z.array(z.string()),
      bundleVersion: z.string(),
    }),
  }),
  "A call is about to be forwarded, or held; recorded before either.",
);

export const refusalReason = z.enum([
  "origin_refused",
  "token_missing",
  "token_invalid",
  "session_unknown",
  "session_ended",
  "endpoint_unknown",
  "malformed",
  "too_large",
  "unsupported",
  "forbidden_by_policy",
  "card_data",
  "opaque_content",
  "tool_changed",
  "too_many_streams",
  "evidence_unavailable",
]);
export type RefusalReason = z.infer<typeof refusalReason>;

export const callRefused = define(
  "CallRefused",
  z.object({
    recorder,
    callId: id,
    sessionId: id.optional(),
    principal: principal.omit({ groups: true }).optional(),
    client: client.optional(),
    endpoint: z.string().optional(),
    clientAddress: z.string().optional(),
    method: z.string().optional(),
    target: z.string().optional(),
    request: payload.optional(),
    reason: refusalReason,
    detail: z.string().optional(),
    policies: z.array(z.string()).optional(),
    bundleVersion: z.string().optional(),
  }),
  "A request was refused and nothing was forwarded.",
);

export const callHeld = define(
  "CallHeld",
  z.object({ ...callContext, approvalId: id, requestDigest: z.string() }),
  "A call waits for an approval.",
);

export const callReleased = define(
  "CallReleased",
  z.object({ ...callContext, approvalId: id, requestDigest: z.string(), approvedBy: z.string() }),
  "A held call was approved and is about to be forwarded.",
);

export const callOutcome = z.enum([
  "result",
  "tool_error",
  "error",
  "denied",
  "approval_expired",
  "cancelled",
  "not_forwarded",
  "upstream_failed",
  "unknown",
]);
export type CallOutcome = z.infer<typeof callOutcome>;

export const callCompleted = define(
  "CallCompleted",
  z.object({
    ...callContext,
    outcome: callOutcome,
    response: payload.optional(),
    httpStatus: z.int().optional(),
    latencyMs: z.int().nonnegative().optional(),
    approvalId: id.optional(),
    detail: z.string().optional(),
  }),
  "How a call ended; recorded before the answer is delivered.",
);

export const messageRecorded = define(
  "MessageRecorded",
  z.object({
    ...callContext,
    direction: z.enum(["client_to_server", "server_to_client"]),
    kind: z
      .enum(["notification", "request", "response", "log"])
      .describe(
        "`log`: what a program that the gateway runs wrote to its standard error, which no client gets.",
      ),
    message: payload,
    headers,
  }),
  "A message other than a call's request and answer; recorded before it goes on.",
);

export const mcpTraffic = [
  recorderStarted,
  recorderStopped,
  callIntended,
  callRefused,
  callHeld,
  callReleased,
  callCompleted,
  messageRecorded,
] as const;

export type RecorderStarted = DataOf<typeof recorderStarted>;
export type CallIntended = DataOf<typeof callIntended>;
export type CallRefused = DataOf<typeof callRefused>;
export type CallHeld = DataOf<typeof callHeld>;
export type CallReleased = DataOf<typeof callReleased>;
export type CallCompleted = DataOf<typeof callCompleted>;
export type MessageRecorded = DataOf<typeof messageRecorded>;
