import { Inject, Injectable } from "@nestjs/common";
import { Outbox } from "@countersign/service-kit";
import { And, DataSource, type FindOptionsWhere, In, MoreThan } from "typeorm";
import type { SessionRow } from "./session.entity.js";
import { type Decide, SessionStore } from "./session-store.js";

/** How many sessions one transaction locks, and for how long the others wait for it. */
const batchMax = 100;

/** Which sessions are meant; of one principal, on one endpoint, or some that are known by their ids. */
export interface Meant {
  readonly ids?: readonly string[];
  readonly principalId?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** Changes of many sessions: a transaction for a batch of them, since one for each takes longer than an end may. */
@Injectable()
export class ManySessions {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /**
   * Decides about each that runs or waits, once its row is locked, since it may have been used or ended meanwhile. Each
   * that changes has events of its own; answers how many did.
   */
  async change({ ids, principalId, endpoint }: Meant, decide: Decide): Promise<number> {
    const about: FindOptionsWhere<SessionRow> = {
      status: In(["active", "waiting"]),
      ...(principalId === undefined ? {} : { principalId }),
      ...(endpoint === undefined ? {} : { endpoint }),
    };
    let changed = 0;
    let after = "00000000-0000-0000-0000-000000000000";
    for (;;) {
      const later = MoreThan(after);
      const meant = { ...about, sessionId: ids ? And(In(ids), later) : later };
      const changes = await this.dataSource.transaction((manager) =>
        this.store.changeFirst(manager, batchMax, meant, decide),
      );
      const inBatch = changes.filter(({ events }) => events.length > 0).length;
      if (inBatch > 0) this.outbox.wake();
      changed += inBatch;
      const last = changes.at(-1)?.session;
      if (changes.length < batchMax || !last || last.status === "unknown") return changed;
      after = last.request.sessionId;
    }
  }
}
