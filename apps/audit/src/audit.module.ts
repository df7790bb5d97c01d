import { Module } from "@nestjs/common";
import { CONFIG, Outbox, PostgresModule } from "@countersign/service-kit";
import { EvidenceAccess } from "./access/evidence-access.js";
import { PolicyConsumer } from "./access/policy.consumer.js";
import { PolicyView } from "./access/policy.view.js";
import { AuditMetrics } from "./audit.metrics.js";
import { CheckpointKey } from "./checkpoint-key.js";
import { Checkpoints } from "./checkpoints.js";
import type { AuditConfig } from "./config.js";
import { ExportController } from "./export.controller.js";
import { FindByCardController } from "./find-by-card.controller.js";
import { IntegrityController } from "./integrity.controller.js";
import { Projection } from "./projection.js";
import { RecordsController } from "./records.controller.js";
import { Relays } from "./relays.js";
import { Scrub } from "./scrub.js";
import { SiemRelay } from "./siem/siem.relay.js";

/**
 * The evidence log. `Projection` appends what Kafka holds to PostgreSQL and its Merkle tree, `Checkpoints` signs the
 * head, `Scrub` looks whether the tables still say what was signed, `SiemRelay` hands records on, and the controllers
 * let auditors search, replay, prove, export and find by card, each behind `EvidenceAccess`.
 */
@Module({
  imports: [PostgresModule.forSchema("audit")],
  controllers: [
    IntegrityController,
    RecordsController,
    ExportController,
    FindByCardController,
    PolicyConsumer,
  ],
  providers: [
    AuditMetrics,
    Projection,
    Checkpoints,
    SiemRelay,
    Relays,
    Scrub,
    EvidenceAccess,
    PolicyView,
    {
      provide: CheckpointKey,
      inject: [CONFIG],
      useFactory: (config: AuditConfig) => CheckpointKey.load(config),
    },
    Outbox.provider("audit"),
  ],
})
export class AuditModule {}
