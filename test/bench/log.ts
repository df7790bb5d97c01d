import kafkajs from "kafkajs";
import pg from "pg";
import type { Suite } from "@countersign/local";

const kafkaOf = ({ brokers }: Suite) =>
  new kafkajs.Kafka({ clientId: "bench", brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING });

const topic = "bench.acknowledgements";
const recordBytes = 2_048;
const warmUps = 50;

/** How long Kafka takes to acknowledge one record at a time, median in milliseconds; the yardstick of a single call. */
export async function acknowledgementMs(suite: Suite, records = 300): Promise<number> {
  const kafka = kafkaOf(suite);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
  await admin.disconnect();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const value = Buffer.alloc(recordBytes, "x");
  const times: number[] = [];
  for (let sent = -warmUps; sent < records; sent += 1) {
    const began = performance.now();
    await producer.send({ topic, acks: -1, messages: [{ key: "bench", value }] });
    if (sent >= 0) times.push(performance.now() - began);
  }
  await producer.disconnect();
  return times.toSorted((a, b) => a - b)[Math.floor(records / 2)] ?? NaN;
}

const followedMsMax = 300_000;
const pollMs = 50;
/** Those that read the record of calls, and the schema in which each keeps how far it is. */
const followers = { audit: "audit", masking: "masking", "session-broker": "session_broker" } as const;

/** Resolves when whoever follows the record of calls has read all of it; answers after how many milliseconds. */
export async function untilFollowed(suite: Suite): Promise<number> {
  const began = performance.now();
  const admin = kafkaOf(suite).admin();
  await admin.connect();
  try {
    const [end] = await admin.fetchTopicOffsets("mcp.traffic");
    for (const [name, schema] of Object.entries(followers)) {
      const url = suite.databaseUrls[name as keyof typeof followers];
      while ((await nextOffset(url, schema)) < BigInt(end?.high ?? 0)) {
        if (performance.now() - began > followedMsMax) throw new Error(`${name} has not read the record`);
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    }
    return performance.now() - began;
  } finally {
    await admin.disconnect();
  }
}

async function nextOffset(connectionString: string | undefined, schema: string): Promise<bigint> {
  const database = new pg.Client({ connectionString });
  await database.connect();
  try {
    const { rows } = await database.query<{ next: string | null }>(
      `SELECT min(next_offset) AS next FROM "${schema}".consumer_offsets WHERE topic = 'mcp.traffic'`,
    );
    return BigInt(rows[0]?.next ?? 0);
  } finally {
    await database.end();
  }
}
