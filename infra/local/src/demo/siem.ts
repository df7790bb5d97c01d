import type { OcsfEvent } from "@countersign/contracts";
import kafkajs from "kafkajs";

/** Reads the SIEM's topic from the beginning as any Kafka consumer would, until `enough`. */
export async function readSiem(
  brokers: string,
  enough: (events: readonly OcsfEvent[]) => boolean,
  msMax = 30_000,
): Promise<OcsfEvent[]> {
  const kafka = new kafkajs.Kafka({
    clientId: "demo-siem",
    brokers: brokers.split(","),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `demo-siem-${Date.now()}` });
  const events: OcsfEvent[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: "siem.ocsf", fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, msMax);
      consumer
        .run({
          eachMessage: ({ message }) => {
            events.push(JSON.parse(message.value?.toString() ?? "null") as OcsfEvent);
            if (enough(events)) {
              clearTimeout(timer);
              resolve();
            }
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
