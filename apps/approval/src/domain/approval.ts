import type { approvalEvents, MessageOf, Principal, RequestApproval } from "@countersign/contracts";

/** A fact about one approval, before it gets its envelope. */
export type ApprovalEvent = MessageOf<(typeof approvalEvents)[number]>;

export type PendingApproval = {
  readonly status: "pending";
  readonly request: RequestApproval;
  readonly requestedAt: string;
};

export type SettledApproval = {
  readonly status: "granted" | "denied" | "expired" | "withdrawn";
  readonly request: RequestApproval;
  readonly requestedAt: string;
  readonly settledAt: string;
  /** Absent where nobody decided. */
  readonly decidedBy?: Principal;
  readonly comment?: string;
};

export type Approval = { readonly status: "unknown" } | PendingApproval | SettledApproval;

export const unknownApproval: Approval = { status: "unknown" };

/** The approval after an event that happened at a time. An event that does not fit the state changes nothing. */
export const evolve = (approval: Approval, event: ApprovalEvent, at: string): Approval => {
  switch (event.type) {
    case "ApprovalRequested":
      return approval.status === "unknown"
        ? { status: "pending", request: event.data, requestedAt: at }
        : approval;
    case "ApprovalGranted":
    case "ApprovalDenied": {
      const { by, comment } = event.data;
      return settled(approval, {
        status: event.type === "ApprovalGranted" ? "granted" : "denied",
        settledAt: at,
        decidedBy: by,
        ...(comment === undefined ? {} : { comment }),
      });
    }
    case "ApprovalExpired":
      return settled(approval, { status: "expired", settledAt: at });
    case "ApprovalWithdrawn":
      return settled(approval, { status: "withdrawn", settledAt: at });
    case "ApprovalAttemptRefused":
      return approval;
  }
};

const settled = (approval: Approval, outcome: Omit<SettledApproval, "request" | "requestedAt">): Approval =>
  approval.status === "pending"
    ? { request: approval.request, requestedAt: approval.requestedAt, ...outcome }
    : approval;

/** What every event about an approval says. */
export const aboutApproval = ({ request }: PendingApproval | SettledApproval) => ({
  approvalId: request.approvalId,
  ...(request.kind === undefined ? {} : { kind: request.kind }),
  ...(request.callId === undefined ? {} : { callId: request.callId }),
  sessionId: request.sessionId,
  endpoint: request.endpoint,
  tool: request.tool,
  requestDigest: request.requestDigest,
  requesterId: request.requester.id,
});
