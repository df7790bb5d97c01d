import type { ApprovalView } from "@countersign/contracts";
import type { PendingApproval, SettledApproval } from "./domain/approval.js";
import type { ApprovalRow } from "./approval.entity.js";

type Known = PendingApproval | SettledApproval;

export const rowOf = (approval: Known): ApprovalRow => {
  const { status, request, requestedAt } = approval;
  const settled = status === "pending" ? undefined : approval;
  return {
    approvalId: request.approvalId,
    status,
    requesterId: request.requester.id,
    request,
    requestedAt: new Date(requestedAt),
    expiresAt: new Date(request.expiresAt),
    settledAt: settled ? new Date(settled.settledAt) : null,
    decidedBy: settled?.decidedBy ?? null,
    comment: settled?.comment ?? null,
  };
};

/** The state that a row stands for. The table's checks make the assumed columns certain. */
export const approvalOf = ({ status, request, ...row }: ApprovalRow): Known => {
  const requestedAt = row.requestedAt.toISOString();
  if (status === "pending") return { status, request, requestedAt };
  return {
    status,
    request,
    requestedAt,
    settledAt: (row.settledAt ?? row.requestedAt).toISOString(),
    ...(row.decidedBy === null ? {} : { decidedBy: row.decidedBy }),
    ...(row.comment === null ? {} : { comment: row.comment }),
  };
};

/** An approval as the API shows it. */
export const viewOf = (approval: Known): ApprovalView => {
  const { status, request, requestedAt } = approval;
  const view = { ...request, kind: request.kind ?? "call", status, requestedAt };
  if (approval.status === "pending") return view;
  const { settledAt, decidedBy, comment } = approval;
  return {
    ...view,
    decidedAt: settledAt,
    ...(decidedBy === undefined ? {} : { decidedBy }),
    ...(comment === undefined ? {} : { comment }),
  };
};
