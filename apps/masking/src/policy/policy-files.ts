import { Inject, Injectable } from "@nestjs/common";
import { setTimeout as wait } from "node:timers/promises";
import {
  ConfigurationRefused,
  configurationFingerprint,
  loadConfiguration,
} from "@countersign/configuration";
import { CONFIG, Gauge, LOG, type Logger, Metrics } from "@countersign/service-kit";
import { configurationEnvironment, type MaskingConfig } from "../config.js";
import { CardDataPolicyInForce } from "./card-data-policy.js";

const lookEveryMs = 2_000;

/**
 * Takes up changes of countersign.yaml. A file with a problem is refused as a whole and loudly, and what held before
 * keeps holding.
 */
@Injectable()
export class PolicyFiles {
  readonly #refused: Gauge;
  #fingerprint: string | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: MaskingConfig,
    @Inject(CardDataPolicyInForce) private readonly inForce: CardDataPolicyInForce,
    @Inject(LOG) private readonly log: Logger,
    @Inject(Metrics) { registry }: Metrics,
  ) {
    this.#refused = new Gauge({
      name: "countersign_configuration_refused",
      help: "1 while the configuration's files have a problem and an older configuration holds.",
      registers: [registry],
    });
  }

  /** Resolves once the files say another card-data policy, which then holds. */
  async untilChanged(signal: AbortSignal): Promise<void> {
    for (;;) {
      await wait(lookEveryMs, undefined, { signal });
      const path = this.config.COUNTERSIGN_CONFIG;
      const fingerprint = await configurationFingerprint(path);
      if (fingerprint === this.#fingerprint) continue;
      try {
        const { cardData } = await loadConfiguration(path, configurationEnvironment());
        this.#fingerprint = fingerprint;
        this.#refused.set(0);
        if (this.inForce.take(cardData)) return;
      } catch (error) {
        // What could not be read is looked at again; what is wrong is said once, and not at every look.
        if (!(error instanceof ConfigurationRefused)) throw error;
        this.#fingerprint = fingerprint;
        this.#refused.set(1);
        this.log.error({ code: error.code, problems: error.problems }, "the configuration is refused");
      }
    }
  }
}
