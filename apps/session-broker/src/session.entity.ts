import type { RequestSession } from "@countersign/contracts";
import { Column, Entity, PrimaryColumn } from "typeorm";
import type { Approved, Extension, Session, Wait } from "./domain/session.js";

/** A session as its table keeps it: the state of `domain/session.ts`, flat, so that SQL can find what is due. */
@Entity("sessions")
export class SessionRow {
  @PrimaryColumn("uuid", { name: "session_id" })
  sessionId!: string;

  @Column("text")
  status!: Exclude<Session["status"], "unknown">;

  @Column("text", { name: "principal_id" })
  principalId!: string;

  @Column("text")
  endpoint!: string;

  @Column("jsonb")
  request!: RequestSession;

  @Column("timestamptz", { name: "requested_at" })
  requestedAt!: Date;

  @Column("timestamptz", { name: "expires_at", nullable: true })
  expiresAt!: Date | null;

  @Column("integer", { name: "idle_seconds", nullable: true })
  idleSeconds!: number | null;

  @Column("timestamptz", { name: "last_activity_at", nullable: true })
  lastActivityAt!: Date | null;

  @Column("timestamptz", { name: "granted_at", nullable: true })
  grantedAt!: Date | null;

  /** The approval that the session or its extension waits for now. */
  @Column("uuid", { name: "pending_approval", nullable: true })
  pendingApproval!: string | null;

  @Column("timestamptz", { name: "waits_until", nullable: true })
  waitsUntil!: Date | null;

  @Column("jsonb", { nullable: true })
  wait!: Wait | null;

  @Column("jsonb", { nullable: true })
  approved!: Approved | null;

  @Column("jsonb", { nullable: true })
  extension!: Extension | null;

  @Column("timestamptz", { name: "ended_at", nullable: true })
  endedAt!: Date | null;

  @Column("text", { nullable: true })
  reason!: string | null;
}
