import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from "@nestjs/common";
import { EventLog, LOG, type Logger, Outbox, PostgresModule, timed } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { ApprovalRow } from "./approval.entity.js";
import { ApprovalStore } from "./approval-store.js";
import { ApprovalsConsumer } from "./approvals.consumer.js";
import { ApprovalsController } from "./approvals.controller.js";
import { Approvals } from "./approvals.service.js";
import { Approvers } from "./approvers.js";
import { Expiry } from "./expiry.js";
import { PoliciesConsumer } from "./policies.consumer.js";
import { schemaName as schema } from "./schema-name.js";

const expiryEveryMs = 1_000;

/**
 * Has calls, sessions, extensions and reveals decided by other people than their requester. Commands come in by `ApprovalsConsumer`, people by the
 * controller, time by `Expiry`, and who may decide by `PoliciesConsumer`; all of them decide with the functions in
 * `domain/` and leave through the outbox.
 */
@Module({
  imports: [PostgresModule.forSchema(schema, [ApprovalRow])],
  controllers: [ApprovalsConsumer, PoliciesConsumer, ApprovalsController],
  providers: [
    {
      provide: Outbox,
      inject: [DataSource, EventLog, LOG],
      useFactory: (dataSource: DataSource, eventLog: EventLog, log: Logger) =>
        new Outbox({ dataSource, eventLog, log, schema }),
    },
    Approvals,
    ApprovalStore,
    Approvers,
    Expiry,
    timed(Expiry, { name: `${schema}.expiry`, everyMs: expiryEveryMs }),
  ],
})
export class ApprovalModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(Outbox) private readonly outbox: Outbox) {}

  onApplicationBootstrap(): void {
    this.outbox.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.outbox.stop();
  }
}
