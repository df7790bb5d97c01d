import { Module } from "@nestjs/common";
import { Outbox, PostgresModule, timed } from "@countersign/service-kit";
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
    Outbox.provider(schema),
    Approvals,
    ApprovalStore,
    Approvers,
    Expiry,
    timed(Expiry, { name: `${schema}.expiry`, everyMs: expiryEveryMs }),
  ],
})
export class ApprovalModule {}
