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
/** Those that read the record of calls, by the schema in which they keep how far they are. */
const followers = ["audit", "masking", "session_broker"];

/** Resolves when whoever follows the record of calls has read all of it; answers after how many milliseconds. */
export async function untilFollowed(suite: Suite): Promise<number> {
  const began = performance.now();
  const admin = kafkaOf(suite).admin();
  const database = new pg.Client({ connectionString: suite.adminDatabaseUrl });
  await admin.connect();
  await database.connect();
  try {
    const [end] = await admin.fetchTopicOffsets("mcp.traffic");
    const query = followers
      .map((schema) => `SELECT next_offset FROM "${schema}".consumer_offsets WHERE topic = 'mcp.traffic'`)
      .join(" UNION ALL ");
    for (;;) {
      const { rows } = await database.query<{ next_offset: string }>(query);
      if (rows.every(({ next_offset: next }) => BigInt(next) >= BigInt(end?.high ?? 0))) break;
      if (performance.now() - began > followedMsMax) throw new Error("the record was not read to its end");
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    return performance.now() - began;
  } finally {
    await database.end();
    await admin.disconnect();
  }
}
