import { Kafka, logLevel } from "kafkajs";
import { Client } from "pg";
import { describe, expect, inject, it } from "vitest";

describe("the infrastructure of a test run", () => {
  it("takes a record of nearly 16 MiB and gives it back", async () => {
    const kafka = new Kafka({ brokers: inject("kafkaBrokers").split(","), logLevel: logLevel.NOTHING });
    const topic = "local.large-record";
    const admin = kafka.admin();
    const producer = kafka.producer();
    const consumer = kafka.consumer({
      groupId: "local.large-record",
      maxBytesPerPartition: 32 * 1024 * 1024,
    });
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
    try {
      // The producer waits for the leader by itself, and more patiently than the admin client.
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
      const value = Buffer.alloc(15 * 1024 * 1024, "x");
      await producer.send({ topic, acks: -1, messages: [{ key: "k", value }] });
      await consumer.subscribe({ topic, fromBeginning: true });
      const received = await new Promise<number>((resolve, reject) => {
        consumer
          .run({ eachMessage: async ({ message }) => resolve(message.value?.byteLength ?? 0) })
          .catch(reject);
      });
      expect(received).toBe(value.byteLength);
    } finally {
      await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()]);
    }
  });

  it("does not create a topic because somebody writes to it", async () => {
    const kafka = new Kafka({
      brokers: inject("kafkaBrokers").split(","),
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    const producer = kafka.producer({ allowAutoTopicCreation: true });
    await producer.connect();
    try {
      await expect(producer.send({ topic: "local.unknown", messages: [{ value: "x" }] })).rejects.toThrow(
        "This server does not host this topic-partition",
      );
    } finally {
      await producer.disconnect();
    }
  });

  it("has PostgreSQL 18 with a superuser and byte-wise UTF-8", async () => {
    const client = new Client({ connectionString: inject("adminDatabaseUrl") });
    await client.connect();
    try {
      const { rows } = await client.query<{ version: number; encoding: string; superuser: string }>(
        `SELECT current_setting('server_version_num')::int / 10000 AS version,
                current_setting('server_encoding') AS encoding, current_setting('is_superuser') AS superuser`,
      );
      expect(rows).toEqual([{ version: 18, encoding: "UTF8", superuser: "on" }]);
    } finally {
      await client.end();
    }
  });
});
