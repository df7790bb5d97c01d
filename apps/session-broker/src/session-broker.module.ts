import { Module } from "@nestjs/common";
import { Outbox, PostgresModule, timed } from "@countersign/service-kit";
import { AccessReviewController } from "./access-review.controller.js";
import { Activity } from "./activity.js";
import { ApprovalsConsumer } from "./approvals.consumer.js";
import { BundleRow } from "./bundle/bundle.entity.js";
import { BundlePublisher } from "./bundle/bundle-publisher.js";
import { CurrentBundle } from "./bundle/current-bundle.js";
import { Expiry } from "./expiry.js";
import { Extensions } from "./extensions.service.js";
import { ManySessions } from "./many-sessions.js";
import { Permissions } from "./permissions.js";
import { PolicyController } from "./policy.controller.js";
import { schemaName as schema } from "./schema-name.js";
import { SessionRow } from "./session.entity.js";
import { SessionStore } from "./session-store.js";
import { SessionsConsumer } from "./sessions.consumer.js";
import { SessionsController } from "./sessions.controller.js";
import { Sessions } from "./sessions.service.js";
import { ToolsController } from "./tools.controller.js";
import { Standing } from "./standing.js";
import { TrafficProgress } from "./traffic-progress.js";

const expiryEveryMs = 1_000;
const standingEveryMs = 5_000;

/**
 * Grants and ends sessions, and publishes the policies. Commands come in by `SessionsConsumer`, approvals by
 * `ApprovalsConsumer`, people by the controllers, time by `Expiry`, and files by `BundlePublisher`; all of them decide with the functions in `domain/` and
 * leave through the outbox.
 */
@Module({
  imports: [PostgresModule.forSchema(schema, [SessionRow, BundleRow])],
  controllers: [
    SessionsConsumer,
    ApprovalsConsumer,
    SessionsController,
    PolicyController,
    AccessReviewController,
    ToolsController,
  ],
  providers: [
    Outbox.provider(schema),
    Activity,
    BundlePublisher,
    CurrentBundle,
    Expiry,
    Extensions,
    ManySessions,
    Permissions,
    Sessions,
    SessionStore,
    Standing,
    TrafficProgress,
    timed(Expiry, { name: `${schema}.expiry`, everyMs: expiryEveryMs }),
    timed(Standing, { name: `${schema}.standing`, everyMs: standingEveryMs }),
  ],
})
export class SessionBrokerModule {}
