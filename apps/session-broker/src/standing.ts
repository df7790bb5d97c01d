import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from "@nestjs/common";
import { Clock, LOG, type Logger, Outbox, Ticker } from "@countersign/service-kit";
import { DataSource, MoreThan } from "typeorm";
import { CurrentBundle } from "./bundle/current-bundle.js";
import { endUnpermitted } from "./domain/end-session.js";
import { questionOf } from "./domain/question.js";
import { schemaName as schema } from "./schema-name.js";
import { SessionRow } from "./session.entity.js";
import { SessionStore } from "./session-store.js";

const everyMs = 5_000;
const batchMax = 500;

/**
 * Asks the policies again about every active session, so that it ends with the shift that it was permitted for, and when
 * somebody takes the permission away. One replica at a time does.
 */
@Injectable()
export class Standing implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #ticker: Ticker;

  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(LOG) log: Logger,
  ) {
    const task = () => this.run();
    this.#ticker = new Ticker({ dataSource, log, name: `${schema}.standing`, everyMs, task });
  }

  onApplicationBootstrap(): void {
    this.#ticker.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#ticker.stop();
  }

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
      for (const { sessionId, request } of rows) {
        after = sessionId;
        const decision = held.engine.decide(questionOf(request), this.clock.now());
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
