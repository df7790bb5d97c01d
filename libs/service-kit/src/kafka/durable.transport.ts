import { type Topic, type TopicName, topics } from "@countersign/contracts";
import type { Consumer, EachBatchPayload, KafkaMessage } from "kafkajs";
import type { DataSource, EntityManager } from "typeorm";
import { lockOffset, storeOffset } from "../postgres/offsets.js";
import { decodeEvent } from "./codec.js";
import type { Delivery } from "./on-event.js";
import { quarantine } from "./quarantine.js";
import { EventRefused, KafkaTransport, type Subscription, type Surroundings } from "./transport.js";

export interface DurableOptions {
  readonly dataSource: DataSource;
  readonly schema: string;
  /** Several consumer groups in one service need names of their own. */
  readonly group?: string;
  /**
   * Takes up to 500 messages at a time, unreadable ones included, instead of Nest's handlers. Runs in the offset's
   * transaction. What it throws stops the partition until it succeeds.
   */
  readonly batch?: (deliveries: readonly Delivery[], manager: EntityManager) => Promise<void>;
  /** Runs after each commit, for instance to wake the outbox. */
  readonly afterCommit?: () => void;
  /**
   * For what nobody waits for: messages are fetched once there is a good batch of them, or after a moment. A fetch and
   * a transaction for every record as it comes would take from the calls the time that is better spent on them.
   */
  readonly unhurried?: boolean;
}

/** What an unhurried follower fetches at the least, and how long the broker waits for that much. */
const goodBatch = { minBytes: 512 * 1024, maxWaitTimeInMs: 250 };

/**
 * Follows topics so that each event has its effect exactly once: the offset is stored in the same PostgreSQL
 * transaction as what the event changed, and that row's lock fences a former owner of the partition. Kafka's own
 * committed offset only trails behind; where the two differ, PostgreSQL is right.
 */
export class DurableTransport extends KafkaTransport {
  readonly #options: DurableOptions;
  readonly #group: string;
  #joined = false;

  constructor(around: Surroundings, subscriptions: readonly Subscription[], options: DurableOptions) {
    super(around, subscriptions);
    this.#options = options;
    this.#group = options.group ?? around.service;
    around.health.register(`consumer ${this.#group}`, () => (this.#joined ? undefined : "not joined yet"));
  }

  protected override async start(): Promise<void> {
    if (!this.#options.batch) this.assertHandled();
    const pace = this.#options.unhurried ? goodBatch : {};
    await this.consume({ groupId: this.#group, ...pace }, true, (consumer) => {
      consumer.on("consumer.group_join", () => {
        this.#joined = true;
      });
      for (const left of ["consumer.crash", "consumer.disconnect", "consumer.stop"] as const) {
        consumer.on(left, () => {
          this.#joined = false;
        });
      }
    });
  }

  protected override async handleBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, heartbeat, isRunning, isStale, commitOffsetsIfNecessary, resolveOffset } = payload;
    const topic = batch.topic as TopicName;
    const steps = inSteps(batch.messages, this.#options.batch ? messagesPerTransactionMax : 1);
    for (const messages of steps) {
      if (!isRunning() || isStale()) return;
      const last = messages.at(-1);
      if (!last) continue;
      const seekTo = await this.#apply(topic, batch.partition, messages);
      if (seekTo !== undefined) {
        this.unwrap<Consumer>().seek({ topic, partition: batch.partition, offset: seekTo });
        return;
      }
      this.#options.afterCommit?.();
      resolveOffset(last.offset);
      await heartbeat();
    }
    await commitOffsetsIfNecessary({
      topics: [
        { topic, partitions: [{ partition: batch.partition, offset: nextAfter(batch.lastOffset()) }] },
      ],
    });
    this.around.metrics.lag.set({ topic, partition: batch.partition }, Number(batch.offsetLag()));
  }

  /** Applies messages in one transaction; answers where to read on if PostgreSQL has seen less than Kafka assumes. */
  async #apply(
    topic: TopicName,
    partition: number,
    messages: readonly KafkaMessage[],
  ): Promise<string | undefined> {
    const { dataSource, schema, batch } = this.#options;
    const first = BigInt(messages[0]?.offset ?? 0);
    const refused: Delivery[] = [];
    const apply = async (manager: EntityManager): Promise<string | undefined> => {
      const stored = await lockOffset(manager, { schema, group: this.#group, topic, partition });
      const readOn = await this.#readOnAt(topic, partition, first, stored);
      if (readOn !== undefined) return readOn.toString();
      const deliveries = messages
        .filter(({ offset }) => stored === undefined || BigInt(offset) >= stored)
        .map((message): Delivery => {
          const decoded = decodeEvent(topic, message.headers, message.value);
          return { topic, partition, offset: message.offset, manager, value: message.value, ...decoded };
        });
      if (batch && deliveries.length > 0) {
        await batch(deliveries, manager);
        this.around.metrics.consumed.inc({ topic }, deliveries.length);
      } else {
        for (const delivery of deliveries) {
          if (delivery.event) await this.dispatch(delivery.event, delivery);
          else refused.push(delivery);
        }
      }
      for (const delivery of refused) await quarantine(this.around, delivery);
      const next = BigInt(nextAfter(messages.at(-1)?.offset ?? "0"));
      if (stored === undefined || next > stored) {
        await storeOffset(manager, { schema, group: this.#group, topic, partition, next });
      }
      return undefined;
    };
    try {
      return await dataSource.transaction(apply);
    } catch (error) {
      if (!(error instanceof EventRefused) || batch) {
        this.around.log.error(
          { error, topic, partition, offset: first.toString() },
          "an event could not be applied",
        );
        throw error;
      }
      return this.#quarantineRefused(topic, partition, messages, error);
    }
  }

  /** The handler's work is rolled back; the message goes to quarantine and the offset moves past it. */
  async #quarantineRefused(
    topic: TopicName,
    partition: number,
    messages: readonly KafkaMessage[],
    error: EventRefused,
  ): Promise<undefined> {
    const { dataSource, schema } = this.#options;
    const place = { schema, group: this.#group, topic, partition };
    await dataSource.transaction(async (manager) => {
      const stored = await lockOffset(manager, place);
      for (const { offset, value } of messages) {
        // Another member of the group may have taken over in between and be further on.
        if (stored !== undefined && BigInt(offset) < stored) continue;
        const problem = { reason: "handler_refused", detail: error.message };
        await quarantine(this.around, { topic, partition, offset, value, problem });
        await storeOffset(manager, { ...place, next: BigInt(offset) + 1n });
      }
    });
  }

  /**
   * Where to read on when Kafka starts past what PostgreSQL has seen; a database without an offset has seen nothing,
   * whatever Kafka remembers of the group. Undefined where the messages follow, or retention dropped those between.
   */
  async #readOnAt(
    topic: TopicName,
    partition: number,
    first: bigint,
    stored: bigint | undefined,
  ): Promise<bigint | undefined> {
    if (first <= (stored ?? 0n) || isCompacted(topic)) return undefined;
    const admin = this.around.kafka.admin();
    await admin.connect();
    try {
      const offsets = await admin.fetchTopicOffsets(topic);
      const low = BigInt(offsets.find((part) => part.partition === partition)?.low ?? 0);
      if (stored === undefined) return first > low ? low : undefined;
      return stored >= low ? stored : undefined;
    } finally {
      await admin.disconnect();
    }
  }
}

/** A long backlog is taken in parts, so that a transaction stays short and the group hears a heartbeat in between. */
const messagesPerTransactionMax = 500;

const inSteps = <M>(messages: readonly M[], size: number): M[][] =>
  Array.from({ length: Math.ceil(messages.length / size) }, (_, step) =>
    messages.slice(step * size, (step + 1) * size),
  );

/** Compaction leaves holes in the numbering, so a jump there says nothing. */
const isCompacted = (name: TopicName): boolean => {
  const topic: Topic = topics[name];
  return topic.compacted === true;
};

const nextAfter = (offset: string): string => (BigInt(offset) + 1n).toString();
