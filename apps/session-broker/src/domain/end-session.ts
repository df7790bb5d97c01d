import type { RevokeSession, SessionExpired } from "@countersign/contracts";
import type { PolicyDecision } from "@countersign/policy";
import type { ActiveSession, Session, SessionEvent, WaitingSession } from "./session.js";

/**
 * Ends a session because someone said so, or drops a request that waits for an approval. A session that is over already
 * stays as it ended.
 */
export const revokeSession = (
  session: Session,
  { by, reason, cause }: Pick<RevokeSession, "by" | "reason" | "cause">,
): SessionEvent[] => {
  if (session.status === "waiting") {
    const { approvalId } = session.wait;
    const data = { ...aboutSession(session), reason, policies: [], bundleVersion: "", approvalId, by };
    return [{ type: "SessionDenied", data: { ...data, cause: "withdrawn" } }];
  }
  if (session.status !== "active") return [];
  const data = { ...aboutSession(session), by, reason, ...(cause === undefined ? {} : { cause }) };
  return [...extensionInVain(session), { type: "SessionRevoked", data }];
};

/**
 * Ends a session that has reached its end, or that nobody used for its idle limit, and a wait for an approval that is
 * over.
 *
 * `trafficSeenUntil` is how far the record of calls has been read: silence after it may be a call that was not read
 * yet, and must not end a session that is in use.
 */
export const expireSession = (session: Session, now: Date, trafficSeenUntil: Date): SessionEvent[] => {
  if (session.status === "waiting") return expireWait(session, now);
  if (session.status !== "active") return [];
  if (Date.parse(session.expiresAt) <= now.getTime()) return expiredOf(session, "duration");
  const idleSince = Date.parse(session.lastActivityAt);
  const knownUntil = Math.min(now.getTime(), trafficSeenUntil.getTime());
  if (idleSince + session.idleSeconds * 1_000 <= knownUntil) return expiredOf(session, "idle");
  return [];
};

/**
 * Ends a session that the policies would not let begin any more: the shift is over, or somebody changed them. A policy
 * that fails says nothing, and every call is decided on its own anyway.
 */
export const endUnpermitted = (session: Session, { allowed, errors }: PolicyDecision): SessionEvent[] =>
  session.status === "active" && !allowed && errors.length === 0 ? expiredOf(session, "policy") : [];

const expiredOf = (session: ActiveSession, cause: SessionExpired["cause"]): SessionEvent[] => [
  ...extensionInVain(session),
  { type: "SessionExpired", data: { ...aboutSession(session), cause } },
];

/** Nobody decided in time, or nobody told. */
const expireWait = (session: WaitingSession, now: Date): SessionEvent[] => {
  const { approvalId, waitsUntil } = session.wait;
  if (Date.parse(waitsUntil) > now.getTime()) return [];
  const data = { ...aboutSession(session), policies: [], bundleVersion: "", approvalId };
  const reason = "Nobody approved it in time; ask for it again.";
  return [{ type: "SessionDenied", data: { ...data, cause: "expired", reason } }];
};

/** There is nothing left to extend, and nobody needs to decide about it. */
const extensionInVain = (session: ActiveSession): SessionEvent[] => {
  if (session.extension?.status !== "pending") return [];
  const { approvalId, durationSeconds, justification } = session.extension;
  const data = { ...aboutSession(session), approvalId, durationSeconds, justification };
  const reason = "The session ended first.";
  return [{ type: "SessionExtensionRefused", data: { ...data, cause: "withdrawn", reason } }];
};

const aboutSession = ({ request }: ActiveSession | WaitingSession) => ({
  sessionId: request.sessionId,
  principalId: request.principal.id,
  endpoint: request.endpoint,
});
