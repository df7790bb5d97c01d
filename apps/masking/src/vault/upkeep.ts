import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from "@nestjs/common";
import { LOG, type Logger, Ticker } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { Destruction } from "./destruction.js";
import { Rewrapping } from "./rewrapping.js";

const destroyEveryMs = 60_000;
const rewrapEveryMs = 5_000;

/** What the vault does by itself: the end of terms, and keys under the newest key, in one replica at a time. */
@Injectable()
export class Upkeep implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #tickers: readonly Ticker[];

  constructor(
    @Inject(Destruction) destruction: Destruction,
    @Inject(Rewrapping) rewrapping: Rewrapping,
    @Inject(DataSource) dataSource: DataSource,
    @Inject(LOG) log: Logger,
  ) {
    const everyMs = (name: string, ms: number, task: () => Promise<void>): Ticker =>
      new Ticker({ dataSource, log, name: `masking.${name}`, everyMs: ms, task });
    this.#tickers = [
      everyMs("destruction", destroyEveryMs, () => destruction.overdue()),
      everyMs("rewrapping", rewrapEveryMs, () => rewrapping.run()),
    ];
  }

  onApplicationBootstrap(): void {
    for (const ticker of this.#tickers) ticker.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#tickers.map((ticker) => ticker.stop()));
  }
}
