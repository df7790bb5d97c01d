import { CountersignError, recordBytesMax } from "@countersign/contracts";

/** One record on its way to the log. `R` is the record, `P` where the log put it. */
interface Waiting<R, P> {
  readonly make: () => R[];
  readonly resolve: (positions: P[]) => void;
  readonly reject: (error: unknown) => void;
}

export class LogUnavailable extends CountersignError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("evidence_unavailable", message, options);
  }
}

const batchRecordsMax = 1_000;
const batchBytesMax = recordBytesMax * 2;
const waitingMax = 20_000;

/**
 * Sends what arrives while a send is under way as the next single batch, one batch at a time, so that a thousand
 * concurrent appends cost a few acknowledgements and order is kept. Records are made at the moment their batch is
 * formed, in queue order, which lets a recorder number and chain them. When a batch fails, all its waiters are told,
 * and `onFailure` has run before the next batch is formed.
 */
export class GroupCommit<R, P> {
  readonly #send: (records: R[]) => Promise<P[]>;
  readonly #bytesOf: (record: R) => number;
  readonly #onFailure: (error: unknown) => Promise<void> | void;
  #waiting: Waiting<R, P>[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: {
    send: (records: R[]) => Promise<P[]>;
    bytesOf: (record: R) => number;
    onFailure?: (error: unknown) => Promise<void> | void;
  }) {
    this.#send = options.send;
    this.#bytesOf = options.bytesOf;
    this.#onFailure = options.onFailure ?? (() => undefined);
  }

  /** Resolves with the records' places once all of them are durable; rejects when it is not certain that they are. */
  append(make: () => R[]): Promise<P[]> {
    if (this.#closed)
      return Promise.reject(new LogUnavailable("The service is stopping; try again in a moment."));
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(new LogUnavailable("Too many records wait for the log; try again in a moment."));
    }
    return new Promise<P[]>((resolve, reject) => {
      this.#waiting.push({ make, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Refuses new records and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whoever appends in the same turn of the event loop shares the first batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#sendOne();
    this.#running = undefined;
  }

  async #sendOne(): Promise<void> {
    const { waiters, records } = this.#takeBatch();
    if (records.length === 0) return;
    try {
      const positions = await this.#send(records);
      let next = 0;
      for (const waiter of waiters) {
        waiter.entry.resolve(positions.slice(next, next + waiter.count));
        next += waiter.count;
      }
    } catch (error) {
      await this.#onFailure(error);
      for (const waiter of waiters) waiter.entry.reject(error);
    }
  }

  #takeBatch(): { waiters: { entry: Waiting<R, P>; count: number }[]; records: R[] } {
    const waiters: { entry: Waiting<R, P>; count: number }[] = [];
    const records: R[] = [];
    let bytes = 0;
    let taken = 0;
    for (const entry of this.#waiting) {
      if (records.length >= batchRecordsMax || bytes >= batchBytesMax) break;
      taken += 1;
      try {
        const made = entry.make();
        for (const record of made) bytes += this.#bytesOf(record);
        records.push(...made);
        waiters.push({ entry, count: made.length });
      } catch (error) {
        entry.reject(error);
      }
    }
    this.#waiting = this.#waiting.slice(taken);
    return { waiters, records };
  }
}
