import type { ApprovalAttemptRefused, Principal } from "@countersign/contracts";
import { type ApprovalEvent, aboutApproval, type PendingApproval, type SettledApproval } from "./approval.js";
import { expireApproval } from "./hold.js";

export interface Attempt {
  readonly by: Principal;
  readonly decision: "approve" | "deny";
  readonly comment?: string | undefined;
}

/**
 * Decides a held call, or says on the record that an attempt to do so was refused. Nobody decides their own call,
 * whatever a policy says; `designated` is whether the policies let this person approve it; and what is settled, or
 * past its time, stays as it is.
 */
export const decideApproval = (
  approval: PendingApproval | SettledApproval,
  { by, decision, comment }: Attempt,
  designated: boolean,
  now: Date,
): ApprovalEvent[] => {
  const about = aboutApproval(approval);
  const refused = (reason: ApprovalAttemptRefused["reason"]): ApprovalEvent => ({
    type: "ApprovalAttemptRefused",
    data: { ...about, by, attempted: decision, reason },
  });
  if (by.id === approval.request.requester.id) return [refused("own_call")];
  if (!designated) return [refused("not_designated")];
  const expired = expireApproval(approval, now);
  if (approval.status !== "pending" || expired.length > 0) return [...expired, refused("not_pending")];
  return [
    {
      type: decision === "approve" ? "ApprovalGranted" : "ApprovalDenied",
      data: { ...about, by, ...(comment === undefined ? {} : { comment }) },
    },
  ];
};
