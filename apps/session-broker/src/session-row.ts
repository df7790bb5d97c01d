import type { SessionView } from "@countersign/contracts";
import { type Extension, type Session, unknownSession, type Wait } from "./domain/session.js";
import type { SessionRow } from "./session.entity.js";

type Known = Exclude<Session, { status: "unknown" }>;

export const rowOf = (session: Known): SessionRow => {
  const { status, request, requestedAt } = session;
  const pending = pendingOf(session);
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
    grantedAt: dateOf("grantedAt" in session ? session.grantedAt : undefined),
    pendingApproval: pending?.approvalId ?? null,
    waitsUntil: dateOf(pending?.waitsUntil),
    wait: session.status === "waiting" ? session.wait : null,
    approved: ("approved" in session && session.approved) || null,
    extension: ("extension" in session && session.extension) || null,
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
    case "waiting":
      // The table's checks make it certain that there is one.
      return row.wait ? { status, request, requestedAt, wait: row.wait } : unknownSession;
    case "active":
      return {
        status,
        request,
        requestedAt,
        grantedAt: row.grantedAt?.toISOString() ?? requestedAt,
        expiresAt: textOf(row.expiresAt),
        idleSeconds: row.idleSeconds ?? 0,
        lastActivityAt: textOf(row.lastActivityAt),
        ...approvalsOf(row),
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
        ...(row.grantedAt ? { grantedAt: row.grantedAt.toISOString() } : {}),
        ...(row.lastActivityAt ? { lastActivityAt: row.lastActivityAt.toISOString() } : {}),
        ...approvalsOf(row),
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
    ...(session.status === "waiting"
      ? { approvalId: session.wait.approvalId, waitsUntil: session.wait.waitsUntil }
      : {}),
    ...("approved" in session && session.approved
      ? { approvalId: session.approved.approvalId, approvedBy: session.approved.by }
      : {}),
    ...("extension" in session && session.extension ? { extension: extensionViewOf(session.extension) } : {}),
    ...("endedAt" in session ? { endedAt: session.endedAt, reason: session.reason } : {}),
  };
};

const extensionViewOf = (extension: Extension): NonNullable<SessionView["extension"]> => {
  const { requestDigest: _, refusals: _refusals, exhausted: _exhausted, ...shown } = extension;
  return shown;
};

/** What somebody has to decide now. */
const pendingOf = (session: Known): Wait | undefined => {
  if (session.status === "waiting") return session.wait;
  const extension = session.status === "active" ? session.extension : undefined;
  return extension?.status === "pending" ? extension : undefined;
};

const approvalsOf = ({ approved, extension }: SessionRow) => ({
  ...(approved ? { approved } : {}),
  ...(extension ? { extension } : {}),
});

/** Where time is unknown a session must count as over, not as endless. */
const textOf = (date: Date | null): string => (date ?? new Date(0)).toISOString();
const dateOf = (text: string | undefined): Date | null => (text === undefined ? null : new Date(text));
