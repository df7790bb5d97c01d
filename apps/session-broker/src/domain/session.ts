import type {
  ApprovalFailure,
  MessageOf,
  Principal,
  RequestSession,
  sessionEvents,
} from "@countersign/contracts";

/** A fact about one session, before it gets its envelope. */
export type SessionEvent = MessageOf<(typeof sessionEvents)[number]>;

/** What another person has to decide, and until when. The digest binds a decision to exactly this. */
export interface Wait {
  readonly approvalId: string;
  readonly requestDigest: string;
  readonly waitsUntil: string;
  readonly durationSeconds: number;
}

/** Who approved, where somebody had to. */
export interface Approved {
  readonly approvalId: string;
  readonly by: Pick<Principal, "id" | "name">;
}

/** The last time that more time was asked for. */
export interface Extension extends Wait {
  readonly justification: string;
  readonly extendedUntil: string;
  readonly status: "pending" | "granted" | ApprovalFailure;
  /** How many of the session's requests nobody approved; absent in what was kept before they were counted. */
  readonly refusals?: number;
  /** Whether it is on the record that the session asked too often. */
  readonly exhausted?: boolean;
  readonly decidedBy?: Pick<Principal, "id" | "name">;
  readonly reason?: string;
}

export type WaitingSession = {
  readonly status: "waiting";
  readonly request: RequestSession;
  readonly requestedAt: string;
  readonly wait: Wait;
};

export type ActiveSession = {
  readonly status: "active";
  readonly request: RequestSession;
  readonly requestedAt: string;
  readonly grantedAt: string;
  readonly expiresAt: string;
  readonly idleSeconds: number;
  /** When the grant or the last call was, whichever is later. */
  readonly lastActivityAt: string;
  readonly approved?: Approved;
  readonly extension?: Extension;
};

export type EndedSession = {
  readonly status: "denied" | "revoked" | "expired";
  readonly request: RequestSession;
  readonly requestedAt: string;
  readonly endedAt: string;
  readonly reason: string;
  /** Absent where it was never granted. */
  readonly grantedAt?: string;
  readonly expiresAt?: string;
  readonly lastActivityAt?: string;
  readonly approved?: Approved;
  readonly extension?: Extension;
};

export type Session =
  | { readonly status: "unknown" }
  | { readonly status: "requested"; readonly request: RequestSession; readonly requestedAt: string }
  | WaitingSession
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
    case "SessionAwaitsApproval":
      return session.status === "requested"
        ? { ...session, status: "waiting", wait: waitOf(event.data) }
        : session;
    case "SessionGranted": {
      if (session.status !== "requested" && session.status !== "waiting") return session;
      const { request, requestedAt } = session;
      const { grantedAt, expiresAt, idleSeconds, approvalId, approvedBy } = event.data;
      return {
        status: "active",
        request,
        requestedAt,
        grantedAt,
        expiresAt,
        idleSeconds,
        lastActivityAt: grantedAt,
        ...(approvalId === undefined || !approvedBy ? {} : { approved: { approvalId, by: approvedBy } }),
      };
    }
    case "SessionDenied": {
      if (session.status !== "requested" && session.status !== "waiting") return session;
      const { request, requestedAt } = session;
      return { status: "denied", request, requestedAt, endedAt: at, reason: event.data.reason };
    }
    case "SessionExtensionRequested": {
      if (session.status !== "active") return session;
      const { justification, extendedUntil } = event.data;
      return {
        ...session,
        extension: {
          ...waitOf(event.data),
          justification,
          extendedUntil,
          status: "pending",
          refusals: session.extension?.refusals ?? 0,
        },
      };
    }
    case "SessionExtended": {
      const { approvalId, expiresAt, approvedBy } = event.data;
      const extended = withExtension(session, approvalId, { status: "granted", decidedBy: approvedBy });
      return extended.status === "active" && extended !== session ? { ...extended, expiresAt } : extended;
    }
    case "SessionExtensionRefused": {
      const { approvalId, cause, reason, by } = event.data;
      if (session.status !== "active" || !session.extension) return session;
      if (cause === "exhausted") return { ...session, extension: { ...session.extension, exhausted: true } };
      const refusals = (session.extension.refusals ?? 0) + 1;
      const outcome = { status: cause, reason, refusals, ...(by ? { decidedBy: by } : {}) };
      return withExtension(session, approvalId, outcome);
    }
    case "SessionRevoked":
      return ended(session, "revoked", at, event.data.reason);
    case "SessionExpired":
      return ended(session, "expired", at, event.data.cause);
  }
};

const waitOf = ({ approvalId, requestDigest, waitsUntil, durationSeconds }: Wait): Wait => ({
  approvalId,
  requestDigest,
  waitsUntil,
  durationSeconds,
});

const withExtension = (
  session: Session,
  approvalId: string | undefined,
  outcome: Partial<Extension>,
): Session =>
  session.status === "active" &&
  session.extension?.status === "pending" &&
  session.extension.approvalId === approvalId
    ? { ...session, extension: { ...session.extension, ...outcome } }
    : session;

const ended = (session: Session, status: EndedSession["status"], at: string, reason: string): Session => {
  if (session.status !== "active") return session;
  const { idleSeconds: _, ...kept } = session;
  return { ...kept, status, endedAt: at, reason };
};
