import { Inject, Injectable } from "@nestjs/common";
import { Clock, Outbox } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { ApprovalStore } from "./approval-store.js";
import { expireApproval } from "./domain/hold.js";
import { schemaName as schema } from "./schema-name.js";

const batchMax = 500;

/** Settles approvals that nobody decided in time, within about a second, in one replica at a time. */
@Injectable()
export class Expiry {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(ApprovalStore) private readonly store: ApprovalStore,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async run(): Promise<void> {
    const due: { approval_id: string }[] = await this.dataSource.query(
      `SELECT approval_id FROM "${schema}".approvals
       WHERE status = 'pending' AND expires_at <= $1 ORDER BY expires_at LIMIT ${batchMax}`,
      [this.clock.now()],
    );
    for (const { approval_id } of due)
      // A transaction for each: the row is locked and looked at again, since somebody may have decided meanwhile.
      await this.dataSource.transaction((manager) => this.store.change(manager, approval_id, expireApproval));
    if (due.length > 0) this.outbox.wake();
  }
}
