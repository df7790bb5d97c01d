import {
  Injectable,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from "@nestjs/common";
import { loadConfiguration } from "@countersign/configuration";
import { CONFIG, EventLog, LOG, type Logger, Outbox, PostgresModule } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { configurationEnvironment, type MaskingConfig } from "./config.js";
import { CardDataPolicyInForce } from "./policy/card-data-policy.js";
import { PoliciesConsumer } from "./policy/policies.consumer.js";
import { PolicyPublisher } from "./policy/policy.publisher.js";
import { PolicyView } from "./policy/policy.view.js";
import { TrialController } from "./policy/trial.controller.js";
import { OriginalsConsumer } from "./vault/originals.consumer.js";
import { OriginalsController } from "./vault/originals.controller.js";
import { Reveals } from "./vault/reveals.js";
import { VaultKeys } from "./vault/vault-keys.js";
import { VaultStore } from "./vault/vault.store.js";

@Injectable()
class OutboxRelay implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(Outbox) private readonly outbox: Outbox) {}

  onApplicationBootstrap(): void {
    this.outbox.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.outbox.stop();
  }
}

/**
 * The card-data policy and the vault. `PolicyPublisher` says which policy and which vault key hold, `OriginalsConsumer`
 * fills the vault with what the proxy sealed, `Reveals` opens it for auditors, `TrialController` shows what the policy
 * does.
 */
@Module({
  imports: [PostgresModule.forSchema("masking")],
  controllers: [OriginalsController, TrialController, OriginalsConsumer, PoliciesConsumer],
  providers: [
    PolicyView,
    PolicyPublisher,
    Reveals,
    VaultStore,
    OutboxRelay,
    {
      provide: CardDataPolicyInForce,
      inject: [CONFIG],
      useFactory: async ({ COUNTERSIGN_CONFIG }: MaskingConfig) =>
        new CardDataPolicyInForce(
          (await loadConfiguration(COUNTERSIGN_CONFIG, configurationEnvironment())).cardData,
        ),
    },
    {
      provide: VaultKeys,
      inject: [CONFIG],
      useFactory: ({ VAULT_KEYS_FILE }: MaskingConfig) => VaultKeys.load(VAULT_KEYS_FILE),
    },
    {
      provide: Outbox,
      inject: [DataSource, EventLog, LOG],
      useFactory: (dataSource: DataSource, eventLog: EventLog, log: Logger) =>
        new Outbox({ dataSource, eventLog, log, schema: "masking" }),
    },
  ],
})
export class MaskingModule {}
