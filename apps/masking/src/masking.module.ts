import { Module } from "@nestjs/common";
import { loadConfiguration } from "@countersign/configuration";
import { CONFIG, Outbox, PostgresModule } from "@countersign/service-kit";
import { configurationEnvironment, type MaskingConfig } from "./config.js";
import { CardDataPolicyInForce } from "./policy/card-data-policy.js";
import { PersonsWords } from "./policy/persons-words.js";
import { PoliciesConsumer } from "./policy/policies.consumer.js";
import { PolicyFiles } from "./policy/policy-files.js";
import { PolicyPublisher } from "./policy/policy.publisher.js";
import { PolicyView } from "./policy/policy.view.js";
import { TrialController } from "./policy/trial.controller.js";
import { SecondLook } from "./second-look/second-look.js";
import { ApprovalsConsumer } from "./vault/approvals.consumer.js";
import { Destruction } from "./vault/destruction.js";
import { DestructionStore } from "./vault/destruction.store.js";
import { Opening } from "./vault/opening.js";
import { OriginalsConsumer } from "./vault/originals.consumer.js";
import { OriginalsController } from "./vault/originals.controller.js";
import { RevealRequests } from "./vault/reveal-requests.js";
import { Reveals } from "./vault/reveals.js";
import { Rewrapping } from "./vault/rewrapping.js";
import { Upkeep } from "./vault/upkeep.js";
import { vaultKeysProvider } from "./vault/vault-keys.provider.js";
import { VaultLog } from "./vault/vault-log.js";
import { VaultController } from "./vault/vault.controller.js";
import { VaultStore } from "./vault/vault.store.js";

/**
 * The card-data policy and the vault. `PolicyPublisher` says which policy and which vault key hold, `OriginalsConsumer`
 * fills the vault with what the proxy sealed, `Reveals` opens it for auditors, `Destruction` empties it, `Rewrapping`
 * follows the vault's keys, `SecondLook` searches again what was recorded, `TrialController` shows what the policy does.
 */
@Module({
  imports: [PostgresModule.forSchema("masking")],
  controllers: [
    OriginalsController,
    VaultController,
    TrialController,
    OriginalsConsumer,
    ApprovalsConsumer,
    PoliciesConsumer,
  ],
  providers: [
    PolicyView,
    PolicyFiles,
    PolicyPublisher,
    PersonsWords,
    Opening,
    Reveals,
    RevealRequests,
    VaultStore,
    VaultLog,
    Destruction,
    DestructionStore,
    Rewrapping,
    Upkeep,
    SecondLook,
    {
      provide: CardDataPolicyInForce,
      inject: [CONFIG],
      useFactory: async ({ COUNTERSIGN_CONFIG }: MaskingConfig) =>
        new CardDataPolicyInForce(
          (await loadConfiguration(COUNTERSIGN_CONFIG, configurationEnvironment())).cardData,
        ),
    },
    vaultKeysProvider,
    Outbox.provider("masking"),
  ],
})
export class MaskingModule {}
