import { Inject, Injectable } from "@nestjs/common";
import type { RequestSession } from "@countersign/contracts";
import { Clock, Outbox } from "@countersign/service-kit";
import type { EntityManager, FindOptionsWhere } from "typeorm";
import { approvalCommandsOf } from "./domain/approval-requests.js";
import { type Session, type SessionEvent, evolve } from "./domain/session.js";
import { SessionRow } from "./session.entity.js";
import { schemaName } from "./schema-name.js";
import { rowOf, sessionOf } from "./session-row.js";

export interface Change {
  readonly session: Session;
  readonly events: readonly SessionEvent[];
}

export type Decide = (session: Session, now: Date) => SessionEvent[];

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
  async change(manager: EntityManager, sessionId: string, decide: Decide, cause?: string): Promise<Change> {
    const row = await manager.findOne(SessionRow, { where: { sessionId }, lock });
    const now = this.clock.now();
    const change = changeOf(sessionOf(row), decide, now);
    await this.#keep(manager, [change], now, cause);
    return change;
  }

  /**
   * The same for up to so many sessions at once, the first of those that are meant. Whoever locks several does it in the
   * order of their ids, so that no two wait for each other.
   */
  async changeFirst(
    manager: EntityManager,
    limit: number,
    meant: FindOptionsWhere<SessionRow>,
    decide: Decide,
  ): Promise<Change[]> {
    const rows = await manager.find(SessionRow, {
      where: meant,
      order: { sessionId: "ASC" },
      take: limit,
      lock,
    });
    const now = this.clock.now();
    const changes = rows.map((row) => changeOf(sessionOf(row), decide, now));
    await this.#keep(manager, changes, now);
    return changes;
  }

  async #keep(manager: EntityManager, changes: readonly Change[], now: Date, cause?: string): Promise<void> {
    const rows = changes.flatMap(({ session, events }) =>
      events.length === 0 || session.status === "unknown" ? [] : [rowOf(session)],
    );
    if (rows.length === 0) return;
    await manager.upsert(SessionRow, rows, ["sessionId"]);
    const events = changes.flatMap((change) => change.events);
    const envelope = () => ({
      id: this.clock.newId(),
      source: "session-broker" as const,
      time: now.toISOString(),
    });
    await this.outbox.add(
      manager,
      ...events.map((event) => ({
        topic: "session.events" as const,
        event: {
          ...event,
          ...envelope(),
          subject: event.data.sessionId,
          ...(cause === undefined ? {} : { cause }),
        },
      })),
      ...approvalCommandsOf(events).map((command) => ({
        topic: "approval.commands" as const,
        event: { ...command, ...envelope(), subject: command.data.approvalId },
      })),
    );
  }
}

const lock = { mode: "pessimistic_write" } as const;

const changeOf = (before: Session, decide: Decide, now: Date): Change => {
  const events = decide(before, now);
  const at = now.toISOString();
  return { session: events.reduce((state, event) => evolve(state, event, at), before), events };
};
