import { randomUUID } from "node:crypto";
import type { TopicName } from "@countersign/contracts";
import type { Consumer, EachBatchPayload } from "kafkajs";
import { decodeEvent } from "./codec.js";
import type { Delivery } from "./on-event.js";
import { quarantine } from "./quarantine.js";
import { KafkaTransport, type Subscription, type Surroundings } from "./transport.js";

export interface ViewSubscription extends Subscription {
  /** How far back the view has to read to be whole; without it, from the beginning of the topic. */
  readonly sinceMs?: number;
}

/**
 * Keeps a process's own view of topics in memory: every process reads every partition, from the beginning or from a
 * time, and is ready once it has read what was there when it started. Reading again after a reconnect never moves the
 * view back, so a revoked session cannot come to life for a moment.
 */
export class ViewTransport extends KafkaTransport {
  readonly #sinceMs: ReadonlyMap<string, number>;
  /** The offset after the last one applied, per partition. */
  readonly #applied = new Map<string, bigint>();
  /** The offset at which the view is whole, per partition. */
  readonly #targets = new Map<string, bigint>();
  #started = false;
  #fetchedAtMs = 0;

  constructor(around: Surroundings, subscriptions: readonly ViewSubscription[]) {
    super(around, subscriptions);
    this.#sinceMs = new Map(
      subscriptions.flatMap(({ topic, sinceMs }) =>
        sinceMs === undefined ? [] : [[topic, sinceMs] as const],
      ),
    );
    const names = subscriptions.map(({ topic }) => topic).join(", ");
    around.health.register(`view of ${names}`, () => this.#problem());
  }

  /** True once everything that was on the topics at start is applied. */
  get whole(): boolean {
    return (
      this.#started &&
      [...this.#targets].every(([place, target]) => (this.#applied.get(place) ?? 0n) >= target)
    );
  }

  protected override async start(): Promise<void> {
    this.assertHandled();
    const admin = this.around.kafka.admin();
    await admin.connect();
    try {
      for (const { topic } of this.subscriptions) {
        const sinceMs = this.#sinceMs.get(topic);
        const since =
          sinceMs === undefined
            ? undefined
            : await admin.fetchTopicOffsetsByTimestamp(topic, Date.now() - sinceMs);
        for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
          const found = since?.find((part) => part.partition === partition)?.offset;
          const start = found === undefined ? BigInt(low) : found === "-1" ? BigInt(high) : BigInt(found);
          this.#targets.set(placeOf(topic, partition), BigInt(high));
          this.#applied.set(placeOf(topic, partition), start);
        }
      }
    } finally {
      await admin.disconnect();
    }
    const groupId = `${this.around.service}-view-${randomUUID()}`;
    await this.consume({ groupId }, true, (consumer) => {
      // The group commits no offsets, so each time it joins it would read from the beginning.
      consumer.on("consumer.group_join", () => this.#readOn(consumer));
      consumer.on("consumer.fetch", () => {
        this.#fetchedAtMs = performance.now();
      });
    });
    this.#started = true;
  }

  #readOn(consumer: Consumer): void {
    for (const [place, offset] of this.#applied) {
      const [topic = "", partition] = place.split("/");
      consumer.seek({ topic, partition: Number(partition), offset: offset.toString() });
    }
  }

  protected override async handleBatch({
    batch,
    resolveOffset,
    heartbeat,
    isStale,
  }: EachBatchPayload): Promise<void> {
    const topic = batch.topic as TopicName;
    const place = placeOf(topic, batch.partition);
    for (const message of batch.messages) {
      if (isStale()) return;
      const offset = BigInt(message.offset);
      if (offset >= (this.#applied.get(place) ?? 0n)) {
        const context = { topic, partition: batch.partition, offset: message.offset };
        const { event, problem } = decodeEvent(topic, message.headers, message.value);
        if (event) await this.dispatch(event, context);
        else await this.#quarantineOnce({ ...context, problem, value: message.value });
        this.#applied.set(place, offset + 1n);
      }
      resolveOffset(message.offset);
      await heartbeat();
    }
    // A compacted topic may end in offsets that no longer exist.
    const end = BigInt(batch.lastOffset()) + 1n;
    if (end > (this.#applied.get(place) ?? 0n)) this.#applied.set(place, end);
    this.around.metrics.lag.set({ topic, partition: batch.partition }, Number(batch.offsetLag()));
  }

  /** Every process meets the same unreadable message again at each start; it is news only past the first target. */
  async #quarantineOnce(delivery: Delivery): Promise<void> {
    if (this.whole) await quarantine(this.around, delivery);
    else
      this.around.metrics.quarantined.inc({
        topic: delivery.topic,
        reason: delivery.problem?.reason ?? "unknown",
      });
  }

  #problem(): string | undefined {
    if (!this.#started) return "not connected to Kafka yet";
    if (!this.whole) return "still reading what happened before the start";
    const silentMs = performance.now() - this.#fetchedAtMs;
    return silentMs > silentMsMax ? `no answer from Kafka for ${Math.round(silentMs / 1000)} s` : undefined;
  }
}

/** An idle fetch answers twice a second; longer silence means that the view may be behind without knowing it. */
const silentMsMax = 10_000;

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;
