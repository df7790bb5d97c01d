import { Server } from "@nestjs/microservices";
import { CountersignError, type EventMessage, type TopicName, topics } from "@countersign/contracts";
import type { Consumer, ConsumerConfig, EachBatchPayload, Kafka } from "kafkajs";
import { isObservable, lastValueFrom } from "rxjs";
import type { Health } from "../health.js";
import type { Logger } from "../logs.js";
import type { Metrics } from "../metrics.js";
import type { EventLog } from "./event-log.js";
import { type EventContext, patternOf } from "./on-event.js";

/** A topic that a service follows, and the types on it that are none of its business. */
export interface Subscription {
  readonly topic: TopicName;
  readonly ignores?: readonly string[];
}

/** What every transport needs of the service it runs in. */
export interface Surroundings {
  readonly service: string;
  readonly kafka: Kafka;
  readonly eventLog: EventLog;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

/** Thrown by a handler for an event that it will never be able to take; the event is quarantined, not retried. */
export class EventRefused extends CountersignError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("event_refused", message, options);
  }
}

export class HandlerMissing extends CountersignError {
  constructor(missing: readonly string[]) {
    super(
      "handler_missing",
      `No handler takes ${missing.join(", ")}; add one with @OnEvent or name the type in the subscription's ignores.`,
    );
  }
}

const fetchBytesMax = 64 * 1024 * 1024;

/**
 * A strict Kafka transport for Nest. Unlike the framework's own it refuses to start while a type on a subscribed topic
 * has neither a handler nor a place among the ignored, and lets an error in a handler stop the offset.
 */
export abstract class KafkaTransport extends Server {
  override readonly propagatesEventHandlerErrors = true;
  protected readonly around: Surroundings;
  protected readonly subscriptions: readonly Subscription[];
  #consumer: Consumer | undefined;
  #restart: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(around: Surroundings, subscriptions: readonly Subscription[]) {
    super();
    this.around = around;
    this.subscriptions = subscriptions;
  }

  override on(): never {
    throw new TypeError("The Kafka transport has no events to listen for.");
  }

  override unwrap<T>(): T {
    return this.#consumer as T;
  }

  override listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  override async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    await this.#consumer?.disconnect();
  }

  protected abstract start(): Promise<void>;
  protected abstract handleBatch(payload: EachBatchPayload): Promise<void>;

  /** Joins the group and reads; `listen` gets the consumer before it does either. */
  protected async consume(
    config: ConsumerConfig,
    fromBeginning: boolean,
    listen: (consumer: Consumer) => void,
  ): Promise<void> {
    const consumer = this.around.kafka.consumer({
      allowAutoTopicCreation: false,
      maxBytes: fetchBytesMax,
      maxBytesPerPartition: fetchBytesMax,
      maxWaitTimeInMs: 500,
      sessionTimeout: 30_000,
      heartbeatInterval: 3_000,
      ...config,
      retry: {
        initialRetryTime: 200,
        maxRetryTime: 3_000,
        retries: 10,
        restartOnFailure: () => Promise.resolve(true),
      },
    });
    this.#consumer = consumer;
    listen(consumer);
    consumer.on("consumer.crash", ({ payload }) => {
      this.around.log.error({ error: payload.error, code: "consumer_crashed" }, "a consumer starts again");
      if (!payload.restart) this.#consumeAgain(config, fromBeginning, listen);
    });
    await consumer.connect();
    await consumer.subscribe({ topics: this.subscriptions.map(({ topic }) => topic), fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: (payload) => this.handleBatch(payload),
    });
  }

  /** The client library gives up for good over some errors; a service that no longer listens must not look alive. */
  #consumeAgain(...args: Parameters<KafkaTransport["consume"]>): void {
    if (this.#closed) return;
    this.#restart = setTimeout(() => {
      this.consume(...args).catch((error: unknown) => {
        this.around.log.error({ error, code: "consumer_crashed" }, "a consumer could not start again");
        this.#consumeAgain(...args);
      });
    }, restartMs);
  }

  /** Throws HandlerMissing unless every type of every subscribed topic is accounted for. */
  protected assertHandled(): void {
    const missing = this.subscriptions.flatMap(({ topic, ignores = [] }) =>
      topics[topic].messages
        .map(({ type }) => type as string)
        .filter((type) => !ignores.includes(type) && !this.messageHandlers.has(patternOf(topic, type)))
        .map((type) => patternOf(topic, type)),
    );
    if (missing.length > 0) throw new HandlerMissing(missing);
  }

  /** Calls the handler of an event; an ignored type has none. Whatever the handler throws is thrown. */
  protected async dispatch(event: EventMessage, context: EventContext): Promise<void> {
    const handler = this.messageHandlers.get(patternOf(context.topic, event.type));
    if (!handler) return;
    const result: unknown = await handler(event, context);
    if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
    this.around.metrics.consumed.inc({ topic: context.topic });
  }
}

const restartMs = 3_000;
