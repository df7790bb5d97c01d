import { randomUUID } from "node:crypto";
import type { TopicName } from "@countersign/contracts";
import type { EachBatchPayload } from "kafkajs";
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

  constructor(around: Surroundings, subscriptions: readonly ViewSubscription[]) {
    super(around, subscriptions);
    this.#sinceMs = new Map(
      subscriptions.flatMap(({ topic, sinceMs }) =>
        sinceMs === undefined ? [] : [[topic, sinceMs] as const],
      ),
    );
    around.health.register("view", () => this.#problem());
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
    const starts: { topic: string; partition: number; offset: string }[] = [];
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
          starts.push({ topic, partition, offset: start.toString() });
        }
      }
    } finally {
      await admin.disconnect();
    }
    const consumer = await this.consume({ groupId: `${this.around.service}-view-${randomUUID()}` }, true);
    for (const start of starts) consumer.seek(start);
    this.#started = true;
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
    return this.whole ? undefined : "still reading what happened before the start";
  }
}

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;
