import type { RequestSession } from "@countersign/contracts";
import { Column, Entity, PrimaryColumn } from "typeorm";
import type { Session } from "./domain/session.js";

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

  @Column("timestamptz", { name: "ended_at", nullable: true })
  endedAt!: Date | null;

  @Column("text", { nullable: true })
  reason!: string | null;
}
