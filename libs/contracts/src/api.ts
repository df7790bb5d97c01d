import { z } from "zod";
import { approvalKind, approvalRequested } from "./approval.messages.js";
import { freeText } from "./free-text.js";
import { authentication, client, endpointName, id, principal, sha256, time } from "./primitives.js";
import { approvalFailure } from "./session.messages.js";

/** Every API answers an error as this, with a fitting HTTP status. */
export const apiError = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export const sessionStatus = z.enum(["requested", "waiting", "active", "denied", "revoked", "expired"]);

/** The last time that more time was asked for. */
export const extensionView = z.object({
  approvalId: id,
  status: z.enum(["pending", "granted", ...approvalFailure.options]),
  durationSeconds: z.int().positive(),
  justification: z.string(),
  extendedUntil: time,
  waitsUntil: time,
  decidedBy: principal.pick({ id: true, name: true }).optional(),
  reason: z.string().optional(),
});

/** `GET /sessions`, `GET /sessions/:id` of the session broker. */
export const sessionView = z.object({
  sessionId: id,
  status: sessionStatus,
  principal,
  authentication,
  client,
  endpoint: endpointName,
  justification: z.string(),
  requestedAt: time,
  expiresAt: time.optional(),
  lastActivityAt: time.optional(),
  endedAt: time.optional(),
  reason: z.string().optional(),
  approvalId: id.optional(),
  waitsUntil: time.optional().describe("While it waits for an approval: nobody can give it from then on."),
  approvedBy: principal.pick({ id: true, name: true }).optional(),
  extension: extensionView.optional(),
});
export type SessionView = z.infer<typeof sessionView>;

/** Body of `POST /sessions/:id/revoke`. */
export const revokeRequest = z.object({ reason: freeText(1, 2_000) });

/** Body of `POST /sessions/:id/extend`: by how many seconds, and why. */
export const extendRequest = z.object({
  durationSeconds: z.int().positive().max(86_400),
  justification: freeText(1, 2_000),
});
export type ExtendRequest = z.infer<typeof extendRequest>;

export const approvalStatus = z.enum(["pending", "granted", "denied", "expired", "withdrawn"]);

/** `GET /approvals?status=`, `GET /approvals/:id` of the approval service. */
export const approvalView = approvalRequested.data.extend({
  kind: approvalKind,
  status: approvalStatus,
  requestedAt: time,
  decidedAt: time.optional(),
  decidedBy: principal.optional(),
  comment: z.string().optional(),
});
export type ApprovalView = z.infer<typeof approvalView>;

/** Body of `POST /approvals/:id/decision`. */
export const decisionRequest = z.object({
  decision: z.enum(["approve", "deny"]),
  comment: freeText(0, 2_000).optional(),
});

/** Body of `POST /originals/:id/reveal` of the masking service. */
export const revealRequest = z.object({ justification: freeText(8, 2_000) });

/** Body of `POST /sessions/:id/shred` of the masking service. */
export const shredRequest = z.object({ justification: freeText(8, 2_000) });

export const revealStatus = z.enum(["pending", "granted", "denied", "expired", "withdrawn", "shown"]);

/** A reveal that needs a second person: the answer 202 of `POST /originals/:id/reveal`, and `GET /reveals/:id`. */
export const revealView = z.object({
  revealId: id.describe("Also the id of the approval that it waits for."),
  originalId: id,
  status: revealStatus,
  expiresAt: time.describe("Until when it can be approved; once granted, until when it can be shown."),
});
export type RevealView = z.infer<typeof revealView>;

/** Body of `POST /find-by-card` of the audit service. The number is used once and kept nowhere. */
export const findByCardRequest = z.object({
  pan: z.string().max(64),
  justification: freeText(8, 2_000),
  after: z.int().nonnegative().optional().describe("Log index of the last record seen."),
  limit: z.int().min(1).max(1000).default(100),
});
export type FindByCardRequest = z.infer<typeof findByCardRequest>;

/** Query of `GET /records` of the audit service. */
export const recordQuery = z.object({
  from: time.optional(),
  to: time.optional(),
  principal: z.string().optional(),
  endpoint: z.string().optional(),
  tool: z.string().optional(),
  method: z.string().optional(),
  type: z.string().optional(),
  outcome: z.string().optional(),
  session: id.optional(),
  after: z.coerce.number().int().nonnegative().optional().describe("Log index of the last record seen."),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type RecordQuery = z.infer<typeof recordQuery>;

/** One record as the audit service shows it. */
export const recordView = z.object({
  logIndex: z.int().nonnegative(),
  leafHash: sha256,
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  id,
  type: z.string(),
  source: z.string(),
  subject: z.string(),
  time,
  cause: id.optional(),
  data: z.unknown(),
  remasked: z
    .literal(true)
    .optional()
    .describe("The second look hid card data here; what the digests name is the text as it was recorded."),
});
export type RecordView = z.infer<typeof recordView>;
