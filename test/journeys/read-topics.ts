import type { EventMessage, TopicName } from "@countersign/contracts";
import { createKafka, createLogger, decodeEvent } from "@countersign/service-kit";

/** Everything that is on some topics now, from the beginning. */
export async function readTopics(
  brokers: string,
  names: readonly TopicName[],
): Promise<{ topic: TopicName; event: EventMessage }[]> {
  const kafka = createKafka("test", brokers.split(","), createLogger("test", "silent"));
  const admin = kafka.admin();
  await admin.connect();
  const missing = new Map<string, bigint>();
  for (const topic of names) {
    for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
      if (BigInt(high) > BigInt(low)) missing.set(`${topic}/${partition}`, BigInt(high));
    }
  }
  await admin.disconnect();
  const events: { topic: TopicName; event: EventMessage }[] = [];
  if (missing.size === 0) return events;
  const consumer = kafka.consumer({ groupId: `test-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...names], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          eachMessage: ({ topic, partition, message }) => {
            const { event, problem } = decodeEvent(topic as TopicName, message.headers, message.value);
            if (problem) reject(new Error(`${topic}: ${problem.reason} ${problem.detail}`));
            else events.push({ topic: topic as TopicName, event });
            const end = missing.get(`${topic}/${partition}`);
            if (end !== undefined && BigInt(message.offset) + 1n >= end)
              missing.delete(`${topic}/${partition}`);
            if (missing.size === 0) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return events;
}
