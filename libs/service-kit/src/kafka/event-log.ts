import { type EventOn, type ServiceName, type TopicName, topics } from "@countersign/contracts";
import type { Kafka, Message } from "kafkajs";
import type { Logger } from "../logs.js";
import type { Metrics } from "../metrics.js";
import { encodeEvent } from "./codec.js";
import { GroupCommit, LogUnavailable, RecordTooLarge } from "./group-commit.js";
import { AbandonableProducer, type Outgoing } from "./producer.js";

/** Where an event went. */
export interface Position {
  readonly topic: TopicName;
  readonly partition: number;
}

/** An event and the topic that carries it. */
export type Entry = { [N in TopicName]: { readonly topic: N; readonly event: EventOn<N> } }[TopicName];

/**
 * The one way to write to Kafka: acknowledged by all in-sync replicas, in order, batched by group commit.
 *
 * After a failed batch the producer is replaced. The broker remembers a producer's sequence numbers; had the failed
 * batch arrived after all, the next one under the same numbers would be taken for its repetition and silently lost.
 */
export class EventLog {
  readonly #kafka: Kafka;
  readonly #service: ServiceName;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #commit: GroupCommit<Outgoing, Position>;
  readonly #onFailure: (() => Promise<void> | void)[] = [];
  #producer: AbandonableProducer;
  #healthy = false;

  constructor(options: { kafka: Kafka; service: ServiceName; log: Logger; metrics: Metrics }) {
    this.#kafka = options.kafka;
    this.#service = options.service;
    this.#log = options.log;
    this.#metrics = options.metrics;
    this.#producer = new AbandonableProducer(options.kafka);
    this.#commit = new GroupCommit({
      send: (records, msLeft) => this.#send(records, msLeft),
      bytesOf,
      onFailure: (error) => this.#failed(error),
    });
  }

  /** Connects, so that a wrong address is met at start and not at the first record. Errors: LogUnavailable. */
  async open(): Promise<void> {
    try {
      await withDeadline(this.#connect(), connectMsMax);
    } catch (cause) {
      throw new LogUnavailable("Kafka does not answer; check KAFKA_BROKERS and that the broker runs.", {
        cause,
      });
    }
  }

  /** Undefined while the log takes records, otherwise why not; the answer of a readiness check. */
  async problem(): Promise<string | undefined> {
    if (this.#healthy) return undefined;
    try {
      await this.#connect();
      return undefined;
    } catch {
      return "Kafka does not answer";
    }
  }

  /** Runs after a failed batch, before the next one is formed and before the batch's waiters are told. */
  onAppendFailed(listener: () => Promise<void> | void): void {
    this.#onFailure.push(listener);
  }

  /** Appends events; resolves when every one of them is durable. Errors: LogUnavailable. */
  append(...entries: Entry[]): Promise<Position[]> {
    return this.appendMade(() => entries);
  }

  /** As `append`, but the events are made when their batch is formed, in the order of the log. */
  appendMade(make: () => readonly Entry[]): Promise<Position[]> {
    return this.#commit.append(() =>
      make().map(({ topic, event }) => {
        this.assertWriter(topic);
        return { topic, message: encodeEvent(event) };
      }),
    );
  }

  /** Appends messages that follow another standard than our events, such as OCSF. */
  appendRaw(topic: TopicName, messages: readonly Message[]): Promise<Position[]> {
    this.assertWriter(topic);
    return this.#commit.append(() => messages.map((message) => ({ topic, message })));
  }

  async close(): Promise<void> {
    await this.#commit.close();
    await this.#producer.disconnect();
  }

  /** Throws where the topic belongs to another service. */
  assertWriter(topic: TopicName): void {
    const { writer } = topics[topic];
    if (writer !== "many" && writer !== this.#service) {
      throw new TypeError(`${this.#service} may not write ${topic}, which belongs to ${writer}`);
    }
  }

  async #connect(): Promise<void> {
    const producer = this.#producer;
    try {
      await producer.connect();
      this.#healthy = true;
    } catch (error) {
      // A failed connection is remembered by its producer; the next try needs another one.
      if (producer === this.#producer) this.#replaceProducer();
      throw error;
    }
  }

  async #send(records: Outgoing[], msLeft: number): Promise<Position[]> {
    const stopTimer = this.#metrics.appends.startTimer();
    try {
      const partitions = await withDeadline(this.#producer.send(records), msLeft);
      this.#healthy = true;
      stopTimer();
      return records.map(({ topic }, index) => ({ topic, partition: partitions[index] ?? 0 }));
    } catch (cause) {
      throw new LogUnavailable(
        "Evidence cannot be written, because Kafka did not acknowledge; try again later.",
        { cause },
      );
    }
  }

  async #failed(error: unknown): Promise<void> {
    if (error instanceof RecordTooLarge) {
      this.#log.error({ error }, "a record is too large for the log");
    } else {
      this.#metrics.appendsFailed.inc();
      this.#healthy = false;
      this.#log.error({ error }, "a batch was not acknowledged; a new producer takes over");
      this.#replaceProducer();
    }
    for (const listener of this.#onFailure) await listener();
  }

  #replaceProducer(): void {
    this.#producer.abandon();
    this.#producer = new AbandonableProducer(this.#kafka);
  }
}

const connectMsMax = 15_000;
/** What a record takes on the wire besides its parts. */
const recordOverheadBytes = 128;
/** What a header takes besides its name and value. */
const headerOverheadBytes = 8;

const bytesOf = ({ message: { key, value, headers = {} } }: Outgoing): number => {
  let bytes = recordOverheadBytes + Buffer.byteLength(key ?? "") + Buffer.byteLength(value ?? "");
  for (const name in headers) {
    bytes += headerOverheadBytes + name.length + Buffer.byteLength(String(headers[name]));
  }
  return bytes;
};

/** The client library's own retries have no total bound; ours has. */
async function withDeadline<T>(work: Promise<T>, msMax: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new LogUnavailable(`No acknowledgement within ${Math.round(msMax)} ms.`)),
      msMax,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
