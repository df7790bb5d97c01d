import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from "@nestjs/common";
import { LOG, type Logger, Outbox, Ticker } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { Checkpoints } from "./checkpoints.js";
import { SiemRelay } from "./siem/siem.relay.js";

const checkpointEveryMs = 1_000;

/** What works in the background: the outbox, the SIEM feed and the signing of the head, each in one replica at a time. */
@Injectable()
export class Relays implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #signing: Ticker;

  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(SiemRelay) private readonly siem: SiemRelay,
    @Inject(Checkpoints) checkpoints: Checkpoints,
    @Inject(DataSource) dataSource: DataSource,
    @Inject(LOG) log: Logger,
  ) {
    this.#signing = new Ticker({
      dataSource,
      log,
      name: "audit.checkpoints",
      everyMs: checkpointEveryMs,
      task: () => checkpoints.signHead(),
    });
  }

  /** After a batch was appended: what it led to leaves at once. */
  wake(): void {
    this.outbox.wake();
    this.siem.wake();
  }

  onApplicationBootstrap(): void {
    this.outbox.start();
    this.siem.start();
    this.#signing.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.#signing.stop(), this.siem.stop(), this.outbox.stop()]);
  }
}
