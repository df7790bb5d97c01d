import { Inject, Injectable } from "@nestjs/common";
import { Clock, Outbox } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { expireSession } from "./domain/end-session.js";
import { schemaName as schema } from "./schema-name.js";
import { SessionStore } from "./session-store.js";
import { TrafficProgress } from "./traffic-progress.js";

const batchMax = 500;

/** Ends sessions and waits that are over, within about a second, in one replica at a time. */
@Injectable()
export class Expiry {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(TrafficProgress) private readonly traffic: TrafficProgress,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async run(): Promise<void> {
    const seenUntil = await this.traffic.seenUntil();
    const due: { session_id: string }[] = await this.dataSource.query(
      `SELECT session_id FROM "${schema}".sessions
       WHERE (status = 'active'
           AND (expires_at <= $1 OR last_activity_at + make_interval(secs => idle_seconds) <= least($1, $2)))
         OR (status = 'waiting' AND waits_until <= $1)
       ORDER BY coalesce(expires_at, waits_until) LIMIT ${batchMax}`,
      [this.clock.now(), seenUntil],
    );
    for (const { session_id } of due)
      // A transaction for each: the row is locked and looked at again, since it may have been used or revoked meanwhile.
      await this.dataSource.transaction((manager) =>
        this.store.change(manager, session_id, (session, now) => expireSession(session, now, seenUntil)),
      );
    if (due.length > 0) this.outbox.wake();
  }
}
