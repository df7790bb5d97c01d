import { CountersignError, recordBytesMax } from "@countersign/contracts";

/** One append on its way to the log. `R` is the record, `P` where the log put it. */
interface Waiting<R, P> {
  readonly make: () => R[];
  /** Made for a batch that had no room left; valid until a batch fails. */
  made?: R[] | undefined;
  readonly sinceMs: number;
  readonly resolve: (positions: P[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch<R, P> {
  readonly waiters: readonly { readonly entry: Waiting<R, P>; readonly count: number }[];
  readonly records: R[];
  readonly bytes: number;
  readonly msLeft: number;
}

export class LogUnavailable extends CountersignError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("evidence_unavailable", message, options);
  }
}

export class RecordTooLarge extends CountersignError {
  constructor(bytes: number) {
    super(
      "record_too_large",
      `A record of ${bytes} bytes does not fit into the log, which takes ${batchBytesMax}; send a smaller message.`,
    );
  }
}

const batchRecordsMax = 1_000;
/** Kafka's limit holds for a whole batch, with some bytes of its own. */
const batchBytesMax = recordBytesMax - 64 * 1024;
const waitingMax = 20_000;
/** From append to answer, whatever happens. */
const appendMsMax = 8_500;
/** What is left at least to a batch whose oldest append has waited for a failing one. */
const sendMsMin = 1_000;

/**
 * Sends what arrives while a send is under way as the next single batch, one batch at a time, so that a thousand
 * concurrent appends cost a few acknowledgements and order is kept. Records are made at the moment their batch is
 * formed, in queue order, which lets a recorder number and chain them. When a batch fails, all its waiters are told,
 * and `onFailure` has run before the next batch is formed; records that were made already are then made anew.
 */
export class GroupCommit<R, P> {
  readonly #send: (records: R[], msLeft: number) => Promise<P[]>;
  readonly #bytesOf: (record: R) => number;
  readonly #onFailure: (error: unknown) => Promise<void> | void;
  #waiting: Waiting<R, P>[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: {
    send: (records: R[], msLeft: number) => Promise<P[]>;
    bytesOf: (record: R) => number;
    onFailure?: (error: unknown) => Promise<void> | void;
  }) {
    this.#send = options.send;
    this.#bytesOf = options.bytesOf;
    this.#onFailure = options.onFailure ?? (() => undefined);
  }

  /** Resolves with the records' places once all of them are durable; rejects when it is not certain that they are. */
  append(make: () => R[]): Promise<P[]> {
    if (this.#closed) return Promise.reject(stopping());
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(new LogUnavailable("Too many records wait for the log; try again in a moment."));
    }
    return new Promise<P[]>((resolve, reject) => {
      this.#waiting.push({ make, sinceMs: performance.now(), resolve, reject });
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
    const { waiters, records, bytes, msLeft } = this.#takeBatch();
    if (waiters.length === 0) return;
    try {
      if (bytes > batchBytesMax) throw new RecordTooLarge(bytes);
      const positions = await this.#send(records, msLeft);
      let next = 0;
      for (const { entry, count } of waiters) {
        entry.resolve(positions.slice(next, next + count));
        next += count;
      }
    } catch (error) {
      const told = await this.#tellFailure(error);
      for (const { entry } of waiters) entry.reject(told);
      if (this.#closed) this.#refuseWaiting();
    }
  }

  /** A listener that fails must not leave the waiters without an answer. */
  async #tellFailure(error: unknown): Promise<unknown> {
    for (const entry of this.#waiting) entry.made = undefined;
    try {
      await this.#onFailure(error);
      return error;
    } catch (cause) {
      return new LogUnavailable("The log failed, and so did what had to follow; restart the service.", {
        cause,
      });
    }
  }

  #refuseWaiting(): void {
    for (const entry of this.#waiting) entry.reject(stopping());
    this.#waiting = [];
  }

  #takeBatch(): Batch<R, P> {
    const waiters: { entry: Waiting<R, P>; count: number }[] = [];
    const records: R[] = [];
    let bytes = 0;
    let taken = 0;
    for (const entry of this.#waiting) {
      if (records.length >= batchRecordsMax) break;
      const made = this.#made(entry);
      const madeBytes = made?.reduce((sum, record) => sum + this.#bytesOf(record), 0) ?? 0;
      if (made && waiters.length > 0 && bytes + madeBytes > batchBytesMax) {
        entry.made = made;
        break;
      }
      taken += 1;
      if (!made) continue;
      bytes += madeBytes;
      for (const record of made) records.push(record);
      waiters.push({ entry, count: made.length });
    }
    this.#waiting = this.#waiting.slice(taken);
    const waitedMs = performance.now() - (waiters[0]?.entry.sinceMs ?? 0);
    return { waiters, records, bytes, msLeft: Math.max(appendMsMax - waitedMs, sendMsMin) };
  }

  /** The append's records; undefined where it needs none of the log any more, because there are none or it failed. */
  #made(entry: Waiting<R, P>): R[] | undefined {
    try {
      const made = entry.made ?? entry.make();
      if (made.length > 0) return made;
      entry.resolve([]);
    } catch (error) {
      entry.reject(error);
    }
    return undefined;
  }
}

const stopping = (): LogUnavailable => new LogUnavailable("The service is stopping; try again in a moment.");
