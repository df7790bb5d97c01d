import type { FactoryProvider, OnApplicationBootstrap, OnModuleDestroy } from "@nestjs/common";
import { DataSource, type EntityManager } from "typeorm";
import { type Entry, EventLog } from "../kafka/event-log.js";
import { describeError, type Logger } from "../logs.js";
import { LOG } from "../tokens.js";

const batchMax = 200;
/** One append goes into one batch of the log; a single event may be larger. */
const batchBytesMax = 4 * 1024 * 1024;
const pollMs = 500;
const retryMs = 1_000;

/**
 * Events that were decided in a PostgreSQL transaction and still have to reach Kafka. `add` writes them in that
 * transaction; the relay appends them in order and removes them once they are durable. A crash in between appends one
 * again under the same event id, which every consumer recognises. One relay works at a time, whichever replica it is in.
 */
export class Outbox implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #dataSource: DataSource;
  readonly #eventLog: EventLog;
  readonly #log: Logger;
  readonly #schema: string;
  #stopped = false;
  #wake: (() => void) | undefined;
  #awake = false;
  #running: Promise<void> | undefined;

  constructor(options: { dataSource: DataSource; eventLog: EventLog; log: Logger; schema: string }) {
    this.#dataSource = options.dataSource;
    this.#eventLog = options.eventLog;
    this.#log = options.log;
    this.#schema = options.schema;
  }

  /** The outbox of a service, whose relay runs as long as the service does. */
  static provider(schema: string): FactoryProvider<Outbox> {
    return {
      provide: Outbox,
      inject: [DataSource, EventLog, LOG],
      useFactory: (dataSource: DataSource, eventLog: EventLog, log: Logger) =>
        new Outbox({ dataSource, eventLog, log, schema }),
    };
  }

  /**
   * Adds events inside the caller's transaction. Call `wake` once it is committed. Order holds per transaction; two
   * transactions about the same subject need a row lock of their own to have one.
   */
  async add(manager: EntityManager, ...entries: readonly Entry[]): Promise<void> {
    for (const { topic } of entries) this.#eventLog.assertWriter(topic);
    if (entries.length === 0) return;
    // PostgreSQL numbers what is inserted in the order of the sort.
    await manager.query(
      `INSERT INTO "${this.#schema}".outbox (topic, event)
       SELECT topic, event FROM unnest($1::text[], $2::json[]) WITH ORDINALITY AS e (topic, event, nth) ORDER BY nth`,
      [entries.map(({ topic }) => topic), entries.map(({ event }) => JSON.stringify(event))],
    );
  }

  /** Sends at once what was committed, instead of at the next poll. */
  wake(): void {
    this.#awake = true;
    this.#wake?.();
  }

  onApplicationBootstrap(): void {
    this.#running ??= this.#run();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        while ((await this.#relay()) > 0 && !this.#stopped);
        await this.#pause(pollMs);
      } catch (error) {
        this.#log.error({ code: "outbox_stalled", reason: describeError(error) }, "events wait for Kafka");
        await this.#pause(retryMs);
      }
    }
  }

  /** Sends one batch in a transaction that holds the relay's lock; answers how many events it sent. */
  #relay(): Promise<number> {
    return this.#dataSource.transaction(async (manager) => {
      const [{ held }] = await manager.query<[{ held: boolean }]>(
        "SELECT pg_try_advisory_xact_lock(hashtext($1)) AS held",
        [`${this.#schema}.outbox`],
      );
      if (!held) return 0;
      const rows: { position: string; topic: string; event: unknown }[] = await manager.query(
        `SELECT position, topic, event FROM (
           SELECT position, topic, event,
                  sum(octet_length(event::text)) OVER (ORDER BY position) AS bytes,
                  row_number() OVER (ORDER BY position) AS nth
           FROM (SELECT * FROM "${this.#schema}".outbox ORDER BY position LIMIT ${batchMax}) AS head
         ) AS counted
         WHERE bytes <= ${batchBytesMax} OR nth = 1 ORDER BY position`,
      );
      if (rows.length === 0) return 0;
      await this.#eventLog.append(...rows.map(({ topic, event }) => ({ topic, event }) as Entry));
      await manager.query(`DELETE FROM "${this.#schema}".outbox WHERE position = ANY($1)`, [
        rows.map(({ position }) => position),
      ]);
      return rows.length;
    });
  }

  async #pause(ms: number): Promise<void> {
    if (this.#awake || this.#stopped) {
      this.#awake = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
    this.#awake = false;
  }
}
