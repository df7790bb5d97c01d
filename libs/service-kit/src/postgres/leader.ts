import type { DataSource } from "typeorm";
import { describeError, type Logger } from "../logs.js";

/**
 * Runs a task at an interval, in one replica at a time: each run holds an advisory lock for its transaction, so a
 * replica that died loses it at once. A run never overlaps the one before.
 */
export class Ticker {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly options: {
      dataSource: DataSource;
      log: Logger;
      /** Names the lock; one name, one runner in the whole deployment. */
      name: string;
      everyMs: number;
      task: () => Promise<void>;
    },
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.#tick().finally(() => {
        this.#running = undefined;
      });
    }, this.options.everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #tick(): Promise<void> {
    const { dataSource, log, name, task } = this.options;
    try {
      await dataSource.transaction(async (manager) => {
        const [{ held }] = await manager.query<[{ held: boolean }]>(
          "SELECT pg_try_advisory_xact_lock(hashtext($1)) AS held",
          [name],
        );
        if (held) await task();
      });
    } catch (error) {
      log.error(
        { code: "ticker_failed", context: name, reason: describeError(error) },
        "a timed task failed",
      );
    }
  }
}
