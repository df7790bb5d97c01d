import { approvalStatus, id } from "@countersign/contracts";
import { z } from "zod";

/** Query of `GET /approvals`; the newest first. */
export const approvalQuery = z.object({
  status: approvalStatus.optional(),
  before: id.optional().describe("Approval id of the last one seen."),
  limit: z.coerce.number().int().min(1).max(200).default(100),
});
export type ApprovalQuery = z.infer<typeof approvalQuery>;
