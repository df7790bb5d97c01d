import { type EventOn, type ServiceName, type TopicName, topics } from "@countersign/contracts";
import type { Kafka, Message, Producer, RecordMetadata } from "kafkajs";
import type { Logger } from "../logs.js";
import type { Metrics } from "../metrics.js";
import { encodeEvent } from "./codec.js";
import { GroupCommit, LogUnavailable } from "./group-commit.js";

/** Where an event went. */
export interface Position {
  readonly topic: TopicName;
  readonly partition: number;
}

/** An event and the topic that carries it. */
export type Entry = { [N in TopicName]: { readonly topic: N; readonly event: EventOn<N> } }[TopicName];

interface Outgoing {
  readonly topic: TopicName;
  readonly message: Message;
}

const ackTimeoutMs = 5_000;
const allInSyncReplicas = -1;

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
  readonly #onFailure: (() => void)[] = [];
  #producer: Promise<Producer> | undefined;
  #healthy = false;

  constructor(options: { kafka: Kafka; service: ServiceName; log: Logger; metrics: Metrics }) {
    this.#kafka = options.kafka;
    this.#service = options.service;
    this.#log = options.log;
    this.#metrics = options.metrics;
    this.#commit = new GroupCommit({
      send: (records) => this.#send(records),
      bytesOf: ({ message }) => message.value?.length ?? 0,
      onFailure: (error) => this.#failed(error),
    });
  }

  /** Connects, so that a wrong address is met at start and not at the first record. */
  async open(): Promise<void> {
    await this.#connected();
    this.#healthy = true;
  }

  /** Undefined while the log takes records, otherwise why not; the answer of a readiness check. */
  async problem(): Promise<string | undefined> {
    if (this.#healthy) return undefined;
    try {
      await this.#connected();
      this.#healthy = true;
      return undefined;
    } catch {
      return "Kafka does not answer";
    }
  }

  /** Runs after a failed batch, before the next one is formed. */
  onAppendFailed(listener: () => void): void {
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
        this.#assertWriter(topic);
        return { topic, message: encodeEvent(event) };
      }),
    );
  }

  /** Appends messages that follow another standard than our events, such as OCSF. */
  appendRaw(topic: TopicName, messages: readonly Message[]): Promise<Position[]> {
    this.#assertWriter(topic);
    return this.#commit.append(() => messages.map((message) => ({ topic, message })));
  }

  async close(): Promise<void> {
    await this.#commit.close();
    const producer = await this.#producer?.catch(() => undefined);
    await producer?.disconnect();
  }

  #assertWriter(topic: TopicName): void {
    const { writer } = topics[topic];
    if (writer !== "many" && writer !== this.#service) {
      throw new TypeError(`${this.#service} may not write ${topic}, which belongs to ${writer}`);
    }
  }

  #connected(): Promise<Producer> {
    this.#producer ??= (async () => {
      const producer = this.#kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4 },
      });
      await producer.connect();
      return producer;
    })();
    this.#producer.catch(() => {
      this.#producer = undefined;
    });
    return this.#producer;
  }

  async #send(records: Outgoing[]): Promise<Position[]> {
    const stopTimer = this.#metrics.appends.startTimer();
    const byTopic = new Map<TopicName, Message[]>();
    for (const { topic, message } of records) {
      const messages = byTopic.get(topic);
      if (messages) messages.push(message);
      else byTopic.set(topic, [message]);
    }
    try {
      const producer = await this.#connected();
      const metadata = await withDeadline(
        producer.sendBatch({
          acks: allInSyncReplicas,
          timeout: ackTimeoutMs,
          topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
        }),
      );
      const refused = metadata.find((part: RecordMetadata) => part.errorCode !== 0);
      if (refused) throw new LogUnavailable("Kafka refused a record; see the broker's log.");
      this.#healthy = true;
      stopTimer();
      return records.map(({ topic }) => ({
        topic,
        partition: metadata.find((part) => part.topicName === topic)?.partition ?? 0,
      }));
    } catch (cause) {
      throw new LogUnavailable(
        "Evidence cannot be written, because Kafka did not acknowledge; try again later.",
        {
          cause,
        },
      );
    }
  }

  #failed(error: unknown): void {
    this.#metrics.appendsFailed.inc();
    this.#healthy = false;
    this.#log.error({ error }, "a batch was not acknowledged; a new producer takes over");
    const broken = this.#producer;
    this.#producer = undefined;
    broken?.then((producer) => producer.disconnect()).catch(() => undefined);
    for (const listener of this.#onFailure) listener();
  }
}

const sendMsMax = 8_000;

/** The client library's own retries have no total bound; ours has. */
async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new LogUnavailable(`No acknowledgement within ${sendMsMax} ms.`)),
      sendMsMax,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
