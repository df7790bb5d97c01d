import { Inject, Injectable } from "@nestjs/common";
import type { PolicyDecision } from "@countersign/policy";
import { Clock } from "@countersign/service-kit";
import { DataSource, MoreThan } from "typeorm";
import { CurrentBundle } from "./bundle/current-bundle.js";
import { lengthUntil } from "./domain/duration.js";
import { endUnpermitted } from "./domain/end-session.js";
import { questionOf } from "./domain/question.js";
import { ManySessions } from "./many-sessions.js";
import { SessionRow } from "./session.entity.js";
import { sessionOf } from "./session-row.js";

const batchMax = 500;

/**
 * Asks the policies again about every active session, so that it ends with the shift that it was permitted for, and when
 * somebody takes the permission away. One replica at a time does.
 */
@Injectable()
export class Standing {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(ManySessions) private readonly many: ManySessions,
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
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
      const unpermitted = new Map<string, PolicyDecision>();
      for (const row of rows) {
        after = row.sessionId;
        const session = sessionOf(row);
        if (session.status !== "active") continue;
        const question = questionOf(session.request, lengthUntil(session, session.expiresAt));
        const decision = held.engine.decide(question, this.clock.now());
        if (!decision.allowed) unpermitted.set(row.sessionId, decision);
      }
      if (unpermitted.size > 0)
        await this.many.change({ ids: [...unpermitted.keys()] }, (session) => {
          const decision = session.status === "active" && unpermitted.get(session.request.sessionId);
          return decision ? endUnpermitted(session, decision) : [];
        });
      if (rows.length < batchMax) return;
    }
  }
}
