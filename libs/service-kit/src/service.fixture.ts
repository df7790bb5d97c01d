import { randomUUID, randomUUIDv7 } from "node:crypto";
import type { DynamicModule, INestApplication } from "@nestjs/common";
import type { Server } from "@nestjs/microservices";
import { type EventMessage, type EventOn, type ServiceName, type TopicName } from "@countersign/contracts";
import kafkajs, { type IHeaders, type Kafka } from "kafkajs";
import { DataSource } from "typeorm";
import { afterAll, inject } from "vitest";
import { serviceConfig } from "./config.js";
import { EventLog } from "./kafka/event-log.js";
import type { Surroundings } from "./kafka/transport.js";
import { createLogger, type Logger } from "./logs.js";
import { Metrics } from "./metrics.js";
import type { ServiceSchema } from "./postgres/schema.js";
import { createKafka } from "./kafka/client.js";
import { createService } from "./run-service.js";
import { createDatabase } from "./testing/database.fixture.js";

export const silentLog: Logger = createLogger("test", "silent");

/** A client of its own, to look at Kafka from outside of the kit. */
export const plainKafka = (brokers = inject("kafkaBrokers")): Kafka =>
  new kafkajs.Kafka({ brokers: brokers.split(","), logLevel: kafkajs.logLevel.NOTHING });

export const eventLogOf = (service: ServiceName, brokers = inject("kafkaBrokers")): EventLog =>
  new EventLog({
    kafka: createKafka(service, brokers.split(","), silentLog),
    service,
    log: silentLog,
    metrics: new Metrics(service),
  });

/** One wiring for production and tests: the service as `runService` makes it, on a free port. */
export async function startService(options: {
  name: ServiceName;
  module: DynamicModule | (new (...parts: never[]) => object);
  transports: (app: INestApplication, around: Surroundings) => Server[];
}): Promise<INestApplication> {
  const config = serviceConfig.parse({
    PORT: 1,
    KAFKA_BROKERS: inject("kafkaBrokers"),
    GATEWAY_URL: "http://127.0.0.1:1",
    ISSUER_URL: "http://127.0.0.1:2",
  });
  const { name, module, transports } = options;
  const app = await createService(
    { name, config: serviceConfig, module: () => module, transports },
    config,
    silentLog,
  );
  try {
    await app.startAllMicroservices();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** A new database with one service's schema; dropped when the file's tests have run. */
export async function freshDatabase(schema: ServiceSchema): Promise<DataSource> {
  const database = await createDatabase(inject("adminDatabaseUrl"), schema);
  const dataSource = new DataSource({
    type: "postgres",
    url: database.url,
    installExtensions: false,
    extra: { max: 10 },
  });
  await dataSource.initialize();
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });
  return dataSource;
}

export const newEvent = <N extends TopicName>(
  source: ServiceName,
  type: EventOn<N>["type"],
  subject: string,
  data: unknown,
): EventOn<N> => {
  const event: EventMessage = {
    id: randomUUIDv7(),
    type,
    source,
    subject,
    time: new Date().toISOString(),
    data,
  };
  return event as EventOn<N>;
};

/** An event about a session that no other test knows. */
export const originalStored = (subject: string): EventOn<"masking.events"> =>
  newEvent<"masking.events">("masking", "OriginalStored", subject, {
    originalId: randomUUIDv7(),
    sessionId: randomUUIDv7(),
    callId: randomUUIDv7(),
    sha256: "0".repeat(64),
  });

export interface Seen {
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly headers: IHeaders | undefined;
  readonly value: string;
}

/** Everything that is on a topic now, as Kafka has it. */
export async function everythingOn(topic: TopicName, brokers = inject("kafkaBrokers")): Promise<Seen[]> {
  const kafka = plainKafka(brokers);
  const admin = kafka.admin();
  await admin.connect();
  const ends = (await admin.fetchTopicOffsets(topic)).filter(({ low, high }) => BigInt(low) < BigInt(high));
  await admin.disconnect();
  if (ends.length === 0) return [];
  const seen: Seen[] = [];
  const missing = new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]));
  const consumer = kafka.consumer({
    groupId: `look-${randomUUID()}`,
    maxBytesPerPartition: 64 * 1024 * 1024,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachMessage: ({ partition, message: { offset, key, headers, value } }) => {
          seen.push({ partition, offset, key: String(key), headers, value: String(value) });
          if (BigInt(offset) + 1n >= (missing.get(partition) ?? 0n)) missing.delete(partition);
          if (missing.size === 0) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return seen;
}
