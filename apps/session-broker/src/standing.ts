import { Inject, Injectable } from "@nestjs/common";
import { Clock, Outbox } from "@countersign/service-kit";
import { DataSource, MoreThan } from "typeorm";
import { CurrentBundle } from "./bundle/current-bundle.js";
import { lengthUntil } from "./domain/duration.js";
import { endUnpermitted } from "./domain/end-session.js";
import { questionOf } from "./domain/question.js";
import { SessionRow } from "./session.entity.js";
import { sessionOf } from "./session-row.js";
import { SessionStore } from "./session-store.js";

const batchMax = 500;

/**
 * Asks the policies again about every active session, so that it ends with the shift that it was permitted for, and when
 * somebody takes the permission away. One replica at a time does.
 */
@Injectable()
export class Standing {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async run(): Promise<void> {
    const held = await this.current.find();
    if (!held) return;
    let after = "00000000-0000-0000-0000-000000000000";
    for (;;) {
      const rows = await this.dataSource.manager.find(SessionRow, {
        where: { status: "active", sessionId: MoreThan(after) },
        order: { sessionId: "ASC" },
        take: batchMax,
      });
      let ended = 0;
      for (const row of rows) {
        const { sessionId } = row;
        after = sessionId;
        const session = sessionOf(row);
        if (session.status !== "active") continue;
        const question = questionOf(session.request, lengthUntil(session, session.expiresAt));
        const decision = held.engine.decide(question, this.clock.now());
        if (decision.allowed) continue;
        const { events } = await this.dataSource.transaction((manager) =>
          this.store.change(manager, sessionId, (session) => endUnpermitted(session, decision)),
        );
        ended += events.length;
      }
      if (ended > 0) this.outbox.wake();
      if (rows.length < batchMax) return;
    }
  }
}
