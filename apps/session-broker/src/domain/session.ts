import type { MessageOf, RequestSession, sessionEvents } from "@countersign/contracts";

/** A fact about one session, before it gets its envelope. */
export type SessionEvent = MessageOf<(typeof sessionEvents)[number]>;

export type ActiveSession = {
  readonly status: "active";
  readonly request: RequestSession;
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly idleSeconds: number;
  /** When the grant or the last call was, whichever is later. */
  readonly lastActivityAt: string;
};

export type EndedSession = {
  readonly status: "denied" | "revoked" | "expired";
  readonly request: RequestSession;
  readonly requestedAt: string;
  readonly endedAt: string;
  readonly reason: string;
  /** Absent where it was never granted. */
  readonly expiresAt?: string;
  readonly lastActivityAt?: string;
};

export type Session =
  | { readonly status: "unknown" }
  | { readonly status: "requested"; readonly request: RequestSession; readonly requestedAt: string }
  | ActiveSession
  | EndedSession;

export const unknownSession: Session = { status: "unknown" };

/** The session after an event that happened at a time. An event that does not fit the state changes nothing. */
export const evolve = (session: Session, event: SessionEvent, at: string): Session => {
  switch (event.type) {
    case "SessionRequested":
      return session.status === "unknown"
        ? { status: "requested", request: event.data, requestedAt: at }
        : session;
    case "SessionGranted":
      return session.status === "requested"
        ? {
            ...session,
            status: "active",
            expiresAt: event.data.expiresAt,
            idleSeconds: event.data.idleSeconds,
            lastActivityAt: event.data.grantedAt,
          }
        : session;
    case "SessionDenied":
      return session.status === "requested"
        ? { ...session, status: "denied", endedAt: at, reason: event.data.reason }
        : session;
    case "SessionRevoked":
      return ended(session, "revoked", at, event.data.reason);
    case "SessionExpired":
      return ended(session, "expired", at, event.data.cause);
  }
};

const ended = (session: Session, status: EndedSession["status"], at: string, reason: string): Session => {
  if (session.status !== "active") return session;
  const { request, requestedAt, expiresAt, lastActivityAt } = session;
  return { status, request, requestedAt, expiresAt, lastActivityAt, endedAt: at, reason };
};
