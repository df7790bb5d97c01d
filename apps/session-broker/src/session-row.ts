import type { SessionView } from "@countersign/contracts";
import { type Session, unknownSession } from "./domain/session.js";
import type { SessionRow } from "./session.entity.js";

type Known = Exclude<Session, { status: "unknown" }>;

export const rowOf = (session: Known): SessionRow => {
  const { status, request, requestedAt } = session;
  return {
    sessionId: request.sessionId,
    status,
    principalId: request.principal.id,
    endpoint: request.endpoint,
    request,
    requestedAt: new Date(requestedAt),
    expiresAt: dateOf("expiresAt" in session ? session.expiresAt : undefined),
    idleSeconds: "idleSeconds" in session ? session.idleSeconds : null,
    lastActivityAt: dateOf("lastActivityAt" in session ? session.lastActivityAt : undefined),
    endedAt: dateOf("endedAt" in session ? session.endedAt : undefined),
    reason: "reason" in session ? session.reason : null,
  };
};

/** The state that a row stands for. The table's checks make the assumed columns certain. */
export const sessionOf = (row: SessionRow | null): Session => {
  if (!row) return unknownSession;
  const { status, request } = row;
  const requestedAt = row.requestedAt.toISOString();
  switch (status) {
    case "requested":
      return { status, request, requestedAt };
    case "active":
      return {
        status,
        request,
        requestedAt,
        expiresAt: textOf(row.expiresAt),
        idleSeconds: row.idleSeconds ?? 0,
        lastActivityAt: textOf(row.lastActivityAt),
      };
    case "denied":
    case "revoked":
    case "expired":
      return {
        status,
        request,
        requestedAt,
        endedAt: textOf(row.endedAt),
        reason: row.reason ?? "",
        ...(row.expiresAt ? { expiresAt: row.expiresAt.toISOString() } : {}),
        ...(row.lastActivityAt ? { lastActivityAt: row.lastActivityAt.toISOString() } : {}),
      };
  }
};

/** A session as the API shows it. */
export const viewOf = (session: Known): SessionView => {
  const { status, request, requestedAt } = session;
  const { sessionId, principal, authentication, client, endpoint, justification } = request;
  return {
    sessionId,
    status,
    principal,
    authentication,
    client,
    endpoint,
    justification,
    requestedAt,
    ...("expiresAt" in session ? { expiresAt: session.expiresAt } : {}),
    ...("lastActivityAt" in session ? { lastActivityAt: session.lastActivityAt } : {}),
    ...("endedAt" in session ? { endedAt: session.endedAt, reason: session.reason } : {}),
  };
};

/** Where time is unknown a session must count as over, not as endless. */
const textOf = (date: Date | null): string => (date ?? new Date(0)).toISOString();
const dateOf = (text: string | undefined): Date | null => (text === undefined ? null : new Date(text));
