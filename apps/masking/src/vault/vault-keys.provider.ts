import type { FactoryProvider } from "@nestjs/common";
import { CONFIG, Gauge, Health, LOG, type Logger, Metrics, VaultClient } from "@countersign/service-kit";
import { type MaskingConfig, transitToken } from "../config.js";
import { FileKeys } from "./file-keys.js";
import { TransitKeys } from "./transit-keys.js";
import { VaultKeys } from "./vault-keys.js";

export const vaultKeysProvider: FactoryProvider<VaultKeys> = {
  provide: VaultKeys,
  inject: [CONFIG, Health, Metrics, LOG],
  useFactory: (config: MaskingConfig, health: Health, metrics: Metrics, log: Logger) => {
    const { VAULT_KEYS_FILE } = config;
    const transit = transitOf(config, health, metrics, log);
    return new VaultKeys({
      ...(VAULT_KEYS_FILE === undefined ? {} : { file: FileKeys.load(VAULT_KEYS_FILE) }),
      ...(transit ? { transit } : {}),
    });
  },
};

/** Whether Vault does its part is told by `/readyz`, a metric and the log; shredding and all else go on without it. */
function transitOf(
  config: MaskingConfig,
  health: Health,
  { registry }: Metrics,
  log: Logger,
): TransitKeys | undefined {
  const { VAULT_TRANSIT_URL, VAULT_TRANSIT_KEY, VAULT_TRANSIT_TOKEN_FILE } = config;
  if (!VAULT_TRANSIT_URL || !VAULT_TRANSIT_KEY || !VAULT_TRANSIT_TOKEN_FILE) return undefined;
  const failing = new Gauge({
    name: "countersign_vault_transit_failing",
    help: "1 while HashiCorp Vault does not open what is sealed to the vault's keys: nothing can be revealed.",
    registers: [registry],
  });
  let problem: string | undefined = "not heard yet";
  health.register("hashicorp vault", () => problem, { required: false });
  const client = new VaultClient({
    address: VAULT_TRANSIT_URL,
    namespace: config.VAULT_NAMESPACE,
    token: () => transitToken(VAULT_TRANSIT_TOKEN_FILE),
    setting: "VAULT_TRANSIT_URL",
  });
  const key = { mount: config.VAULT_TRANSIT_MOUNT, name: VAULT_TRANSIT_KEY };
  return new TransitKeys(client, key, (failure) => {
    if (failure && failure.code !== problem) {
      log.error({ error: failure }, "the vault's keys in HashiCorp Vault cannot be used");
    }
    problem = failure?.code;
    failing.set(failure ? 1 : 0);
  });
}
