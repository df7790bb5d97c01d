import { createHash, randomUUIDv7 } from "node:crypto";
import type { MessageQuarantined, ServiceName } from "@countersign/contracts";
import type { Surroundings } from "./transport.js";
import type { Delivery } from "./on-event.js";

/** What is said of a message that cannot be read: its place, digest and size, never its content. */
export function quarantineOf(delivery: Delivery, consumer: string): MessageQuarantined {
  return {
    topic: delivery.topic,
    partition: delivery.partition,
    offset: delivery.offset,
    consumer,
    reason: (delivery.problem?.reason ?? "handler_refused") as MessageQuarantined["reason"],
    detail: delivery.problem?.detail ?? "",
    valueSha256: createHash("sha256")
      .update(delivery.value ?? "")
      .digest("hex"),
    bytes: delivery.value?.length ?? 0,
  };
}

/** Puts a message that cannot be read on the record, loudly; resolves once that is durable. */
export async function quarantine(around: Surroundings, delivery: Delivery): Promise<void> {
  const data = quarantineOf(delivery, around.service);
  around.metrics.quarantined.inc({ topic: data.topic, reason: data.reason });
  around.log.error(
    {
      topic: data.topic,
      partition: data.partition,
      offset: data.offset,
      reason: data.reason,
      code: data.detail,
    },
    "a message cannot be read and was quarantined",
  );
  await around.eventLog.append({
    topic: "quarantine.events",
    event: {
      id: randomUUIDv7(),
      type: "MessageQuarantined",
      source: around.service as ServiceName,
      subject: data.topic,
      time: new Date().toISOString(),
      data,
    },
  });
}
