import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { client, endpointName, id, principal, time } from "./primitives.js";

/** What is decided: a held call, an auditor's reveal, a whole session, or more time for one. */
export const approvalKind = z.enum(["call", "reveal", "session", "extension"]);
export type ApprovalKind = z.infer<typeof approvalKind>;

const kind = approvalKind.optional().describe("`call` if absent.");
const callId = id.optional().describe("Absent where no call is decided.");

const request = z.object({
  approvalId: id.describe("Also the message key."),
  kind,
  callId,
  sessionId: id,
  requester: principal,
  client,
  endpoint: endpointName,
  tool: z.string(),
  arguments: z.string().describe("What exactly is asked for, as masked JSON, as the approver sees it."),
  requestDigest: z
    .string()
    .describe("Digest of exactly what is asked for; the approval holds for this digest and no other."),
  justification: z.string(),
  expiresAt: time,
});

/** What every event about one approval carries, so that each can be read on its own. */
const aboutApproval = {
  approvalId: id,
  kind,
  callId,
  sessionId: id,
  endpoint: endpointName,
  tool: z.string(),
  requestDigest: z.string(),
  requesterId: z.string(),
};
const decision = { by: principal, comment: z.string().max(2000).optional() };

export const requestApproval = define(
  "RequestApproval",
  request,
  "Asks that another person decide what policy lets nobody do alone.",
);
export const withdrawApproval = define(
  "WithdrawApproval",
  z.object({ approvalId: id, reason: z.string() }),
  "What was asked for is gone; nobody needs to decide any more.",
);
export const approvalCommands = [requestApproval, withdrawApproval] as const;

export const approvalRequested = define("ApprovalRequested", request, "Something waits for another person.");
export const approvalGranted = define(
  "ApprovalGranted",
  z.object({ ...aboutApproval, ...decision }),
  "Another person approved exactly this.",
);
export const approvalDenied = define(
  "ApprovalDenied",
  z.object({ ...aboutApproval, ...decision }),
  "Another person refused this.",
);
export const approvalExpired = define("ApprovalExpired", z.object(aboutApproval), "Nobody decided in time.");
export const approvalWithdrawn = define(
  "ApprovalWithdrawn",
  z.object({ ...aboutApproval, reason: z.string() }),
  "What was asked for was given up before a decision.",
);
export const approvalAttemptRefused = define(
  "ApprovalAttemptRefused",
  z.object({
    ...aboutApproval,
    by: principal,
    attempted: z.enum(["approve", "deny"]),
    reason: z.enum(["own_call", "not_designated", "not_pending"]),
  }),
  "Someone tried to decide what was not theirs to decide.",
);
export const approvalEvents = [
  approvalRequested,
  approvalGranted,
  approvalDenied,
  approvalExpired,
  approvalWithdrawn,
  approvalAttemptRefused,
] as const;

export type RequestApproval = DataOf<typeof requestApproval>;
export type WithdrawApproval = DataOf<typeof withdrawApproval>;
export type ApprovalGranted = DataOf<typeof approvalGranted>;
export type ApprovalDenied = DataOf<typeof approvalDenied>;
export type ApprovalExpired = DataOf<typeof approvalExpired>;
export type ApprovalAttemptRefused = DataOf<typeof approvalAttemptRefused>;
