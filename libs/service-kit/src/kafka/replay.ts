import { setTimeout } from "node:timers/promises";
import type { EventMessage, TopicName } from "@countersign/contracts";
import type { Consumer } from "kafkajs";
import { decodeEvent } from "./codec.js";
import type { Surroundings } from "./transport.js";

/** The next offset to read, per partition. */
export type Bookmark = ReadonlyMap<number, string>;

const replayMsMax = 120_000;
const startMsMax = 30_000;
const retryMs = 500;

/**
 * Reads a topic once, from a bookmark to its end, for a service that has to know what it left unfinished. The bookmark
 * is kept by Kafka as the committed offsets of a group of its own; without one, reading starts at the beginning.
 */
export class Replay {
  constructor(
    private readonly around: Surroundings,
    private readonly topic: TopicName,
    private readonly group: string,
  ) {}

  /** Where the topic ends now. */
  async end(): Promise<Bookmark> {
    const admin = this.around.kafka.admin();
    await admin.connect();
    try {
      const offsets = await admin.fetchTopicOffsets(this.topic);
      return new Map(offsets.map(({ partition, high }) => [partition, high]));
    } finally {
      await admin.disconnect();
    }
  }

  /**
   * Hands over every event between the bookmark and the end, in order per partition; answers that end. Kafka may still
   * be electing leaders when a service starts, so a failed reading is begun again, from the bookmark, for a while.
   */
  async run(onEvent: (event: EventMessage) => void): Promise<Bookmark> {
    const deadline = Date.now() + startMsMax;
    for (;;) {
      try {
        return await this.#runOnce(onEvent);
      } catch (error) {
        if (Date.now() > deadline) throw error;
        this.around.log.warn({ error, topic: this.topic }, "the log cannot be read yet; trying again");
        await setTimeout(retryMs);
      }
    }
  }

  async #runOnce(onEvent: (event: EventMessage) => void): Promise<Bookmark> {
    const end = await this.end();
    const start = await this.#start();
    const missing = new Map(
      [...end].filter(([partition, offset]) => BigInt(start.get(partition) ?? 0) < BigInt(offset)),
    );
    if (missing.size === 0) return end;
    const consumer = this.around.kafka.consumer({
      groupId: this.group,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: 100,
    });
    try {
      await this.#readTo(consumer, missing, start, onEvent);
    } finally {
      await consumer.disconnect();
    }
    return end;
  }

  /** Moves the bookmark; nothing before it will be read again. */
  async mark(bookmark: Bookmark): Promise<void> {
    const admin = this.around.kafka.admin();
    await admin.connect();
    try {
      const partitions = [...bookmark].map(([partition, offset]) => ({ partition, offset }));
      await admin.setOffsets({ groupId: this.group, topic: this.topic, partitions });
    } finally {
      await admin.disconnect();
    }
  }

  async #start(): Promise<Bookmark> {
    const admin = this.around.kafka.admin();
    await admin.connect();
    try {
      const lows = new Map(
        (await admin.fetchTopicOffsets(this.topic)).map(({ partition, low }) => [partition, low]),
      );
      const [committed] = await admin.fetchOffsets({ groupId: this.group, topics: [this.topic] });
      return new Map(
        (committed?.partitions ?? []).map(({ partition, offset }) => {
          const low = lows.get(partition) ?? "0";
          return [partition, BigInt(offset) < BigInt(low) ? low : offset];
        }),
      );
    } finally {
      await admin.disconnect();
    }
  }

  async #readTo(
    consumer: Consumer,
    missing: Map<number, string>,
    start: Bookmark,
    onEvent: (event: EventMessage) => void,
  ): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topic: this.topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const timer = globalThis.setTimeout(
        () => reject(new Error("reading the log again took too long")),
        replayMsMax,
      );
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      consumer.on("consumer.crash", ({ payload }) => finish(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachMessage: ({ partition, message }) => {
            const end = missing.get(partition);
            if (end !== undefined && BigInt(message.offset) < BigInt(end)) {
              const { event } = decodeEvent(this.topic, message.headers, message.value);
              if (event) onEvent(event);
            }
            if (end !== undefined && BigInt(message.offset) + 1n >= BigInt(end)) missing.delete(partition);
            if (missing.size === 0) finish();
            return Promise.resolve();
          },
        })
        .then(() => {
          for (const partition of missing.keys()) {
            consumer.seek({ topic: this.topic, partition, offset: start.get(partition) ?? "0" });
          }
        }, finish);
    });
  }
}
