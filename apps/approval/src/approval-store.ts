import { Inject, Injectable } from "@nestjs/common";
import { Clock, Outbox } from "@countersign/service-kit";
import type { EntityManager } from "typeorm";
import { type Approval, type ApprovalEvent, evolve, unknownApproval } from "./domain/approval.js";
import { ApprovalRow } from "./approval.entity.js";
import { approvalOf, rowOf } from "./approval-row.js";

export interface Change {
  readonly approval: Approval;
  readonly events: readonly ApprovalEvent[];
}

/** Approvals in PostgreSQL. What a decision changes and the events that say so are written in one transaction. */
@Injectable()
export class ApprovalStore {
  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Locks the approval, decides, and keeps what was decided: of two who decide at once, the second one waits here and
   * finds it settled. `cause` is the command that is answered.
   */
  async change(
    manager: EntityManager,
    approvalId: string,
    decide: (approval: Approval, now: Date) => ApprovalEvent[],
    cause?: string,
  ): Promise<Change> {
    const row = await manager.findOne(ApprovalRow, {
      where: { approvalId },
      lock: { mode: "pessimistic_write" },
    });
    const now = this.clock.now();
    const at = now.toISOString();
    const before = row ? approvalOf(row) : unknownApproval;
    const events = decide(before, now);
    const approval = events.reduce((state, event) => evolve(state, event, at), before);
    if (events.length === 0 || approval.status === "unknown") return { approval, events };
    await manager.upsert(ApprovalRow, rowOf(approval), ["approvalId"]);
    for (const event of events)
      await this.outbox.add(manager, {
        topic: "approval.events",
        event: {
          ...event,
          id: this.clock.newId(),
          source: "approval",
          subject: approvalId,
          time: at,
          ...(cause === undefined ? {} : { cause }),
        },
      });
    return { approval, events };
  }
}
