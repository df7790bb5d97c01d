import type { EventOn, Recorder as RecorderPosition } from "@countersign/contracts";
import { leafHashHex, ZERO_HASH } from "@countersign/evidence";
import { type Clock, type Entry, type EventLog, LogUnavailable, type Logger } from "@countersign/service-kit";

export type TrafficEvent = EventOn<"mcp.traffic">;
type WithoutRecorder<D> = Omit<D, "recorder">;

/** A traffic record before the recorder numbers it. */
export type Draft = TrafficEvent extends infer E
  ? E extends { type: infer T; data: infer D }
    ? {
        readonly type: T;
        readonly subject: string;
        readonly cause?: string;
        readonly data: WithoutRecorder<D>;
      }
    : never
  : never;

const eventuallyMax = 1_000;
const retryMs = 1_000;

/**
 * Writes the proxy's records. Each gets the next number of the recorder's epoch and the hash of the record before, at
 * the moment its batch is formed, so that the numbers follow the log's own order. A failed append ends the epoch: what
 * it was to hold may or may not be on the log, and the next epoch starts at zero, in the open.
 */
export class Recorder {
  readonly #id: string;
  readonly #eventLog: EventLog;
  readonly #clock: Clock;
  readonly #log: Logger;
  #position: { epoch: string; seq: number; prevHash: string } | undefined;
  #previousEpoch: string | undefined;
  #failed = false;
  #eventually: Draft[] = [];
  #retrying: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: { id: string; eventLog: EventLog; clock: Clock; log: Logger }) {
    this.#id = options.id;
    this.#eventLog = options.eventLog;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#eventLog.onAppendFailed(() => {
      this.#previousEpoch = this.#position?.epoch;
      this.#position = undefined;
      this.#failed = true;
    });
  }

  get id(): string {
    return this.#id;
  }

  /** Resolves with the records' event ids once all of them, and what goes with them, are durable. */
  async record(drafts: readonly Draft[], alongside: readonly Entry[] = []): Promise<string[]> {
    // Nothing comes after an epoch's last record, so whatever asks for one is refused.
    if (this.#stopped) throw new LogUnavailable("This gateway has stopped; try again at another one.");
    const ids = drafts.map(() => this.#clock.newId());
    await this.#eventLog.appendMade(() => {
      const before = this.#position;
      try {
        return [
          ...alongside,
          ...this.#opening(),
          ...drafts.map((draft, index) => this.#numbered(draft, ids[index] ?? this.#clock.newId())),
        ];
      } catch (error) {
        // A record that cannot be made takes no number.
        this.#position = before;
        throw error;
      }
    });
    return ids;
  }

  /**
   * Records what could not be recorded in time, as soon as the log takes records again. Used only for facts that open
   * nothing: a refusal, or the outcome of a call whose answer was withheld.
   */
  recordEventually(...drafts: readonly Draft[]): void {
    for (const draft of drafts) {
      if (this.#eventually.length < eventuallyMax) this.#eventually.push(draft);
      else
        this.#log.error(
          { code: "late_record_dropped", type: draft.type },
          "too many records wait for the log",
        );
    }
    this.#flush();
  }

  /** Writes the epoch's first record, so that the log shows when recording began. */
  async start(): Promise<void> {
    await this.record([]);
  }

  /** Writes the epoch's last record. */
  async stop(): Promise<void> {
    clearTimeout(this.#retrying);
    if (this.#eventually.length > 0) await this.record(this.#eventually.splice(0)).catch(() => undefined);
    const last = this.record([{ type: "RecorderStopped", subject: this.#id, data: {} }]);
    this.#stopped = true;
    await last.catch((error: unknown) => {
      this.#log.error({ error }, "the end of recording could not be recorded");
    });
  }

  #flush(): void {
    if (this.#retrying || this.#eventually.length === 0) return;
    const drafts = this.#eventually.splice(0);
    this.record(drafts).catch((error: unknown) => {
      if (!(error instanceof LogUnavailable)) {
        this.#log.error({ error, count: drafts.length }, "late records cannot be written and are given up");
        return;
      }
      this.#eventually.unshift(...drafts);
      this.#retrying = setTimeout(() => {
        this.#retrying = undefined;
        this.#flush();
      }, retryMs);
      this.#retrying.unref();
    });
  }

  #opening(): Entry[] {
    if (this.#position) return [];
    this.#position = { epoch: this.#clock.newId(), seq: 0, prevHash: ZERO_HASH };
    const data = {
      reason: this.#failed ? ("append_failed" as const) : ("start" as const),
      ...(this.#previousEpoch === undefined ? {} : { previousEpoch: this.#previousEpoch }),
    };
    return [this.#numbered({ type: "RecorderStarted", subject: this.#id, data }, this.#clock.newId())];
  }

  #numbered(draft: Draft, id: string): Entry {
    const position = this.#position;
    if (!position) throw new TypeError("the recorder has no epoch");
    const recorder: RecorderPosition = { id: this.#id, ...position };
    const event = {
      id,
      type: draft.type,
      source: "proxy",
      subject: draft.subject,
      time: this.#clock.now().toISOString(),
      ...(draft.cause === undefined ? {} : { cause: draft.cause }),
      data: { ...draft.data, recorder },
    } as TrafficEvent;
    this.#position = { epoch: position.epoch, seq: position.seq + 1, prevHash: leafHashHex(event) };
    return { topic: "mcp.traffic", event };
  }
}
