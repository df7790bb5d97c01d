import type { RequestApproval } from "@countersign/contracts";
import { type Approval, type ApprovalEvent, aboutApproval } from "./approval.js";

/** Puts a held call before those who may decide it. A repetition of the request changes nothing. */
export const requestApproval = (approval: Approval, request: RequestApproval): ApprovalEvent[] =>
  approval.status === "unknown" ? [{ type: "ApprovalRequested", data: request }] : [];

/** The held call is gone. A decision that came first stays. */
export const withdrawApproval = (approval: Approval, reason: string): ApprovalEvent[] =>
  approval.status === "pending"
    ? [{ type: "ApprovalWithdrawn", data: { ...aboutApproval(approval), reason } }]
    : [];

/** Nobody decided in time. */
export const expireApproval = (approval: Approval, now: Date): ApprovalEvent[] =>
  approval.status === "pending" && Date.parse(approval.request.expiresAt) <= now.getTime()
    ? [{ type: "ApprovalExpired", data: aboutApproval(approval) }]
    : [];
