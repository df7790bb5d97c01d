import type { Principal, RequestApproval } from "@countersign/contracts";
import { Column, Entity, PrimaryColumn } from "typeorm";
import type { Approval } from "./domain/approval.js";

/** An approval as its table keeps it: the state of `domain/approval.ts`, flat, so that SQL can find what is due. */
@Entity("approvals")
export class ApprovalRow {
  @PrimaryColumn("uuid", { name: "approval_id" })
  approvalId!: string;

  @Column("text")
  status!: Exclude<Approval["status"], "unknown">;

  @Column("text", { name: "requester_id" })
  requesterId!: string;

  @Column("jsonb")
  request!: RequestApproval;

  @Column("timestamptz", { name: "requested_at" })
  requestedAt!: Date;

  @Column("timestamptz", { name: "expires_at" })
  expiresAt!: Date;

  @Column("timestamptz", { name: "settled_at", nullable: true })
  settledAt!: Date | null;

  @Column("jsonb", { name: "decided_by", nullable: true })
  decidedBy!: Principal | null;

  @Column("text", { nullable: true })
  comment!: string | null;
}
