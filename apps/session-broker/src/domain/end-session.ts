import type { RevokeSession } from "@countersign/contracts";
import type { PolicyDecision } from "@countersign/policy";
import type { ActiveSession, Session, SessionEvent } from "./session.js";

/** Ends a session because someone said so. A session that is over already stays as it ended. */
export const revokeSession = (
  session: Session,
  { by, reason, cause }: Pick<RevokeSession, "by" | "reason" | "cause">,
): SessionEvent[] =>
  session.status === "active"
    ? [
        {
          type: "SessionRevoked",
          data: { ...aboutSession(session), by, reason, ...(cause === undefined ? {} : { cause }) },
        },
      ]
    : [];

/**
 * Ends a session that has reached its end, or that nobody used for its idle limit.
 *
 * `trafficSeenUntil` is how far the record of calls has been read: silence after it may be a call that was not read
 * yet, and must not end a session that is in use.
 */
export const expireSession = (session: Session, now: Date, trafficSeenUntil: Date): SessionEvent[] => {
  if (session.status !== "active") return [];
  const data = aboutSession(session);
  if (Date.parse(session.expiresAt) <= now.getTime())
    return [{ type: "SessionExpired", data: { ...data, cause: "duration" } }];
  const idleSince = Date.parse(session.lastActivityAt);
  const knownUntil = Math.min(now.getTime(), trafficSeenUntil.getTime());
  if (idleSince + session.idleSeconds * 1_000 <= knownUntil)
    return [{ type: "SessionExpired", data: { ...data, cause: "idle" } }];
  return [];
};

/**
 * Ends a session that the policies would not let begin any more: the shift is over, or somebody changed them. A policy
 * that fails says nothing, and every call is decided on its own anyway.
 */
export const endUnpermitted = (session: Session, { allowed, errors }: PolicyDecision): SessionEvent[] =>
  session.status === "active" && !allowed && errors.length === 0
    ? [{ type: "SessionExpired", data: { ...aboutSession(session), cause: "policy" } }]
    : [];

const aboutSession = ({ request }: ActiveSession) => ({
  sessionId: request.sessionId,
  principalId: request.principal.id,
  endpoint: request.endpoint,
});
