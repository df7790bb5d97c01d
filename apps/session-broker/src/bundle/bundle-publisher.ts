import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from "@nestjs/common";
import {
  type BundleContent,
  ConfigurationRefused,
  configurationFingerprint,
} from "@countersign/configuration";
import type { PolicyBundle } from "@countersign/contracts";
import {
  Clock,
  CONFIG,
  describeError,
  Gauge,
  LOG,
  type Logger,
  Metrics,
  Outbox,
} from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { readConfiguration, type SessionBrokerConfig } from "../config.js";
import { schemaName } from "../schema-name.js";
import { BundleRow } from "./bundle.entity.js";
import { CurrentBundle } from "./current-bundle.js";

const pollMs = 2_000;

/**
 * Publishes the configured endpoints and policies at start and whenever their files change. Files with a problem are
 * refused as a whole and loudly; what was published before keeps holding. Where nothing was, the service does not start.
 */
@Injectable()
export class BundlePublisher implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #refused: Gauge;
  #fingerprint: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #taking: Promise<void> = Promise.resolve();

  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: SessionBrokerConfig,
    @Inject(LOG) private readonly log: Logger,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#refused = new Gauge({
      name: "countersign_configuration_refused",
      help: "1 while the configuration's files have a problem and an older configuration holds.",
      registers: [metrics.registry],
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.takeUp();
    } catch (error) {
      if (!(error instanceof ConfigurationRefused) || !(await this.current.find())) throw error;
    }
    this.#timer = setInterval(() => {
      this.#polling ??= this.#poll().finally(() => {
        this.#polling = undefined;
      });
    }, pollMs);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.#polling;
  }

  /**
   * Reads the files if they changed since the last time, and publishes what they say if it is new. One at a time: what
   * was read earlier is never published later.
   */
  takeUp(): Promise<void> {
    const taking = this.#taking.then(() => this.#takeUpNow());
    this.#taking = taking.catch(() => undefined);
    return taking;
  }

  async #takeUpNow(): Promise<void> {
    const path = this.config.COUNTERSIGN_CONFIG;
    const fingerprint = await configurationFingerprint(path);
    if (fingerprint === this.#fingerprint) return;
    try {
      const configuration = await readConfiguration(this.config);
      await this.#publish(configuration.bundle());
      this.#refused.set(0);
      this.#fingerprint = fingerprint;
    } catch (error) {
      this.#refused.set(1);
      if (error instanceof ConfigurationRefused) {
        // The same mistake is said once and not at every look.
        this.#fingerprint = fingerprint;
        this.log.error({ code: error.code, problems: error.problems }, "the configuration is refused");
      }
      throw error;
    }
  }

  async #poll(): Promise<void> {
    try {
      await this.takeUp();
    } catch (error) {
      if (error instanceof ConfigurationRefused) return;
      this.log.error({ code: "bundle_not_published", reason: describeError(error) }, "publishing failed");
    }
  }

  async #publish(content: BundleContent): Promise<void> {
    const published = await this.dataSource.transaction(async (manager) => {
      // Replicas start together; one of them publishes and the others find it done.
      await manager.query("SELECT pg_advisory_xact_lock(hashtext($1))", [`${schemaName}.bundles`]);
      const held = await this.current.find(manager);
      if (held?.bundle.version === content.version) return false;
      const publishedAt = this.clock.now().toISOString();
      const bundle: PolicyBundle = { ...content, publishedAt };
      await manager.insert(BundleRow, { version: content.version, bundle });
      await this.outbox.add(manager, {
        topic: "policy.bundles",
        event: {
          id: this.clock.newId(),
          type: "PolicyBundlePublished",
          source: "session-broker",
          subject: "bundle",
          time: publishedAt,
          data: bundle,
        },
      });
      return true;
    });
    if (!published) return;
    this.outbox.wake();
    this.log.info({ version: content.version, endpoints: content.endpoints.length }, "policies published");
  }
}
