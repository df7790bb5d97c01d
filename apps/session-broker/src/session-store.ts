import { Inject, Injectable } from "@nestjs/common";
import type { RequestSession } from "@countersign/contracts";
import { Clock, Outbox } from "@countersign/service-kit";
import type { EntityManager } from "typeorm";
import { approvalCommandsOf } from "./domain/approval-requests.js";
import { type Session, type SessionEvent, evolve } from "./domain/session.js";
import { SessionRow } from "./session.entity.js";
import { schemaName } from "./schema-name.js";
import { rowOf, sessionOf } from "./session-row.js";

export interface Change {
  readonly session: Session;
  readonly events: readonly SessionEvent[];
}

/** Sessions in PostgreSQL. What a decision changes, the events that say so and the approvals it needs are one transaction. */
@Injectable()
export class SessionStore {
  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** How many sessions a principal has on an endpoint; the answer stays true until the transaction is over. */
  async countActive(manager: EntityManager, principalId: string, endpoint: string): Promise<number> {
    await manager.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `${schemaName}.count ${endpoint} ${principalId}`,
    ]);
    return manager.countBy(SessionRow, { principalId, endpoint, status: "active" });
  }

  /** How many requests of a principal wait for an approval. Bounds what approvers are asked, so it may be off by a few. */
  countWaiting(manager: EntityManager, principalId: string): Promise<number> {
    return manager.countBy(SessionRow, { principalId, status: "waiting" });
  }

  /** The request of the session that waits for this approval, or whose extension does. */
  async waitingFor(manager: EntityManager, approvalId: string): Promise<RequestSession | undefined> {
    return (await manager.findOneBy(SessionRow, { pendingApproval: approvalId }))?.request;
  }

  /** Locks the session, decides, and keeps what was decided. `cause` is the command that is answered. */
  async change(
    manager: EntityManager,
    sessionId: string,
    decide: (session: Session, now: Date) => SessionEvent[],
    cause?: string,
  ): Promise<Change> {
    const row = await manager.findOne(SessionRow, {
      where: { sessionId },
      lock: { mode: "pessimistic_write" },
    });
    const now = this.clock.now();
    const before = sessionOf(row);
    const events = decide(before, now);
    const at = now.toISOString();
    const session = events.reduce((state, event) => evolve(state, event, at), before);
    if (events.length === 0 || session.status === "unknown") return { session, events };
    await manager.upsert(SessionRow, rowOf(session), ["sessionId"]);
    for (const event of events)
      await this.outbox.add(manager, {
        topic: "session.events",
        event: {
          ...event,
          id: this.clock.newId(),
          source: "session-broker",
          subject: sessionId,
          time: at,
          ...(cause === undefined ? {} : { cause }),
        },
      });
    for (const command of approvalCommandsOf(events))
      await this.outbox.add(manager, {
        topic: "approval.commands",
        event: {
          ...command,
          id: this.clock.newId(),
          source: "session-broker",
          subject: command.data.approvalId,
          time: at,
        },
      });
    return { session, events };
  }
}
