import { Inject, Injectable } from "@nestjs/common";
import { Clock } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { expireSession } from "./domain/end-session.js";
import { ManySessions } from "./many-sessions.js";
import { schemaName as schema } from "./schema-name.js";
import { TrafficProgress } from "./traffic-progress.js";

const batchMax = 500;

/** Ends sessions and waits that are over, within about a second, in one replica at a time. */
@Injectable()
export class Expiry {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(ManySessions) private readonly many: ManySessions,
    @Inject(TrafficProgress) private readonly traffic: TrafficProgress,
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
    const ids = due.map(({ session_id }) => session_id);
    if (ids.length > 0)
      await this.many.change({ ids }, (session, now) => expireSession(session, now, seenUntil));
  }
}
