import type { Endpoint, ExtendRequest } from "@countersign/contracts";
import type { PolicyDecision } from "@countersign/policy";
import { extensionDigest } from "./approval-requests.js";
import { lengthUntil, minutesText } from "./duration.js";
import type { ActiveSession, Session, SessionEvent } from "./session.js";

/** How many requests of one session may go without an approval; each of them is somebody's work to decide. */
export const refusalsMax = 3;

export interface ExtensionGround {
  readonly endpoint: Endpoint | undefined;
  /** Whether the policies permit the session, if it lasts so long in all. */
  readonly judge: (durationSeconds: number) => PolicyDecision;
  /** The id that the approval will have. */
  readonly approvalId: string;
}

/** Why a session cannot have more time, in a code and in words for its owner. */
export interface ExtensionProblem {
  readonly code:
    | "session_ended"
    | "extension_pending"
    | "extension_exhausted"
    | "forbidden_by_policy"
    | "extension_too_long"
    | "justification_refused";
  readonly message: string;
}

/**
 * Asks for more time for a session that runs. Another person always has to approve it, whatever the policies say about
 * its beginning: who could extend it alone would have the endpoint's maximum from the start. No session lasts longer in
 * all than the endpoint allows, nor than the policies let a session be opened for.
 */
export const extendSession = (
  session: Session,
  asked: ExtendRequest,
  ground: ExtensionGround,
  now: Date,
): { readonly events: SessionEvent[] } | { readonly problem: ExtensionProblem } => {
  if (session.status !== "active" || Date.parse(session.expiresAt) <= now.getTime())
    return refused("session_ended", "The session has ended; open a new one.");
  const { endpoint, judge, approvalId } = ground;
  if (session.extension?.status === "pending")
    return refused("extension_pending", "More time was asked for already; wait until somebody decides.");
  if (!endpoint || !judge(lengthUntil(session, session.expiresAt)).allowed)
    return refused("forbidden_by_policy", "No policy permits this session any more; ask an administrator.");
  const latest = latestEnd(session.grantedAt, endpoint.session.durationSecondsMax);
  const extendedUntil = new Date(Date.parse(session.expiresAt) + asked.durationSeconds * 1_000).toISOString();
  if (extendedUntil > latest) return refused("extension_too_long", tooLong(session, latest));
  const seconds = lengthUntil(session, extendedUntil);
  const longer = judge(seconds);
  if (!longer.allowed) return refused("forbidden_by_policy", notSoLong(seconds, longer));
  const { justificationPattern: pattern, justificationHint: hint } = endpoint.session;
  if (pattern !== undefined && !new RegExp(pattern, "u").test(asked.justification))
    return refused(
      "justification_refused",
      hint === undefined
        ? `The justification has to contain ${pattern}.`
        : `The justification is not what is asked for. ${hint}`,
    );
  const { request, grantedAt, expiresAt } = session;
  if ((session.extension?.refusals ?? 0) >= refusalsMax) return askedTooOften(session, asked);
  const waitMs = endpoint.approval.expirySeconds * 1_000;
  // Once the session is over there is nothing to extend.
  const waitsUntilMs = Math.min(now.getTime() + waitMs, Date.parse(expiresAt));
  const data = {
    sessionId: request.sessionId,
    principalId: request.principal.id,
    endpoint: request.endpoint,
    approvalId,
    durationSeconds: asked.durationSeconds,
    justification: asked.justification,
    requestDigest: extensionDigest(approvalId, request, {
      extendedUntil,
      justification: asked.justification,
    }),
    waitsUntil: new Date(waitsUntilMs).toISOString(),
    principal: request.principal,
    client: request.client,
    grantedAt,
    openedFor: request.justification,
    expiresAt,
    extendedUntil,
  };
  return { events: [{ type: "SessionExtensionRequested", data }] };
};

const notSoLong = (seconds: number, { policies }: PolicyDecision): string => {
  const length = `a session of ${minutesText(seconds)} in all`;
  return policies.length > 0
    ? `A policy forbids ${length}: ${policies.join(", ")}.`
    : `No policy permits ${length}; ask an administrator whether one should.`;
};

export const extensionExhausted: ExtensionProblem = {
  code: "extension_exhausted",
  message: `${refusalsMax} requests of this session for more time were not approved, and it can make no more; open a new session when it ends.`,
};

/** Once on the record, every further attempt is refused without adding to it. */
const askedTooOften = (
  { request, extension }: ActiveSession,
  { durationSeconds, justification }: ExtendRequest,
): { readonly events: SessionEvent[] } | { readonly problem: ExtensionProblem } => {
  if (extension?.exhausted) return { problem: extensionExhausted };
  const data = {
    sessionId: request.sessionId,
    principalId: request.principal.id,
    endpoint: request.endpoint,
    durationSeconds,
    justification,
    cause: "exhausted" as const,
    reason: extensionExhausted.message,
  };
  return { events: [{ type: "SessionExtensionRefused", data }] };
};

/** The latest end that a session which began then may have. */
export const latestEnd = (grantedAt: string, durationSecondsMax: number): string =>
  new Date(Date.parse(grantedAt) + durationSecondsMax * 1_000).toISOString();

const refused = (code: ExtensionProblem["code"], message: string) => ({ problem: { code, message } });

const tooLong = ({ expiresAt }: ActiveSession, latest: string): string => {
  const secondsMax = Math.max(0, Math.floor((Date.parse(latest) - Date.parse(expiresAt)) / 1_000));
  return secondsMax === 0
    ? "The session lasts as long as this endpoint allows already; open a new one when it ends."
    : `This endpoint allows ${secondsMax} seconds more at the most.`;
};
