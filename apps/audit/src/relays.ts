import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from "@nestjs/common";
import { LOG, type Logger, Outbox, Ticker } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { Checkpoints } from "./checkpoints.js";
import { Scrub } from "./scrub.js";
import { SiemRelay } from "./siem/siem.relay.js";

const checkpointEveryMs = 1_000;
const scrubEveryMs = 2_000;

/** What works in the background: the outbox, the SIEM feed, the signing of the head and the scrub, each in one replica at a time. */
@Injectable()
export class Relays implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #tickers: readonly Ticker[];

  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(SiemRelay) private readonly siem: SiemRelay,
    @Inject(Checkpoints) checkpoints: Checkpoints,
    @Inject(Scrub) scrub: Scrub,
    @Inject(DataSource) dataSource: DataSource,
    @Inject(LOG) log: Logger,
  ) {
    const everyMs = (name: string, ms: number, task: () => Promise<void>): Ticker =>
      new Ticker({ dataSource, log, name: `audit.${name}`, everyMs: ms, task });
    this.#tickers = [
      everyMs("checkpoints", checkpointEveryMs, () => checkpoints.signHead()),
      everyMs("scrub", scrubEveryMs, () => scrub.verifySlice()),
    ];
  }

  /** After a batch was appended: what it led to leaves at once. */
  wake(): void {
    this.outbox.wake();
    this.siem.wake();
  }

  onApplicationBootstrap(): void {
    this.siem.start();
    for (const ticker of this.#tickers) ticker.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([...this.#tickers.map((ticker) => ticker.stop()), this.siem.stop()]);
  }
}
