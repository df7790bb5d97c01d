import type { TopicName } from "@countersign/contracts";
import kafkajs, { type Kafka, type Message, type Producer, type RecordMetadata } from "kafkajs";
import { LogUnavailable } from "./group-commit.js";

const { KafkaJSNonRetriableError, Partitioners } = kafkajs;

export interface Outgoing {
  readonly topic: TopicName;
  readonly message: Message;
}

const ackTimeoutMs = 5_000;
const allInSyncReplicas = -1;

/**
 * One idempotent producer of the client library, which can be abandoned for good. The library goes on retrying a batch
 * after it was disconnected, and connects again to do so; but each try asks the partitioner first, and there it ends.
 */
export class AbandonableProducer {
  readonly #producer: Producer;
  readonly #partitions = new WeakMap<Message, number>();
  #connected: Promise<void> | undefined;
  #abandoned = false;

  constructor(kafka: Kafka) {
    this.#producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4 },
      createPartitioner: () => {
        const partitionOf = Partitioners.DefaultPartitioner();
        return (args) => {
          if (this.#abandoned) throw new KafkaJSNonRetriableError("This producer was abandoned");
          const partition = args.partitionMetadata.length === 1 ? 0 : partitionOf(args);
          this.#partitions.set(args.message, partition);
          return partition;
        };
      },
    });
  }

  connect(): Promise<void> {
    this.#connected ??= this.#producer.connect();
    return this.#connected;
  }

  /** Sends one batch; answers each record's partition once all in-sync replicas have it. */
  async send(records: readonly Outgoing[]): Promise<number[]> {
    await this.connect();
    const byTopic = new Map<TopicName, Message[]>();
    for (const { topic, message } of records) {
      const messages = byTopic.get(topic);
      if (messages) messages.push(message);
      else byTopic.set(topic, [message]);
    }
    const metadata = await this.#producer.sendBatch({
      acks: allInSyncReplicas,
      timeout: ackTimeoutMs,
      topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
    });
    if (metadata.some((part: RecordMetadata) => part.errorCode !== 0)) {
      throw new LogUnavailable("Kafka refused a record; see the broker's log.");
    }
    return records.map(({ message }) => this.#partitions.get(message) ?? 0);
  }

  /** Ends it at once; what is on its way is cut off and not tried again. */
  abandon(): void {
    this.#abandoned = true;
    this.disconnect().catch(() => undefined);
  }

  async disconnect(): Promise<void> {
    await this.#connected?.catch(() => undefined);
    await this.#producer.disconnect();
  }
}
