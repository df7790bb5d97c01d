import { createHash } from "node:crypto";
import type { EventMessage, TopicName } from "@countersign/contracts";
import { leafHashHex, ZERO_HASH } from "@countersign/evidence";
import { decodeEvent, type Delivery, encodeEvent } from "@countersign/service-kit";

/** A UUIDv7 that says its number. */
export const uuid = (number: number): string =>
  `0199aaaa-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;

export const at = "2026-03-01T10:00:00.000Z";

const encoded = (event: EventMessage): { headers: Record<string, string>; value: Buffer } => {
  const { headers, value } = encodeEvent(event);
  return { headers: headers as Record<string, string>, value: Buffer.from(value as string) };
};

/** An event as the transport hands it over, decoded from what would be on Kafka. */
export function delivered(topic: TopicName, offset: number, event: EventMessage): Delivery {
  const { headers, value } = encoded(event);
  return { topic, partition: 0, offset: String(offset), value, ...decodeEvent(topic, headers, value) };
}

export function poison(topic: TopicName, offset: number, value: string): Delivery {
  const bytes = Buffer.from(value);
  return { topic, partition: 0, offset: String(offset), value: bytes, ...decodeEvent(topic, {}, bytes) };
}

export const sessionExpired = (number: number, sessionId = uuid(1)): EventMessage => ({
  id: uuid(number),
  type: "SessionExpired",
  source: "session-broker",
  subject: sessionId,
  time: at,
  data: { sessionId, principalId: "dev:alice", endpoint: "payments", cause: "idle" },
});

const payloadOf = (text: string): Record<string, unknown> => ({
  text,
  sha256: createHash("sha256").update(text).digest("hex"),
  bytes: text.length,
  contentType: "application/json",
  findings: [],
});

/** A recorder that numbers and chains what it says, as the proxy does. */
export class TestRecorder {
  #seq = 0;
  #prevHash = ZERO_HASH;
  readonly #epoch: string;

  constructor(
    private readonly firstNumber: number,
    private readonly sessionId = uuid(1),
  ) {
    this.#epoch = uuid(firstNumber);
  }

  get epoch(): string {
    return this.#epoch;
  }

  started(): EventMessage {
    return this.#next("RecorderStarted", { reason: "start" });
  }

  completed(text = "{}"): EventMessage {
    return this.#next("CallCompleted", { ...this.#call(), outcome: "result", response: payloadOf(text) });
  }

  #call(): Record<string, unknown> {
    return {
      callId: uuid(this.firstNumber + 1_000),
      sessionId: this.sessionId,
      principal: { id: "dev:alice", kind: "human", name: "Alice" },
      client: { id: "client-1" },
      endpoint: "payments",
      clientAddress: "10.0.0.7",
      era: "modern",
      method: "tools/call",
      target: "get_transaction",
    };
  }

  #next(type: string, data: Record<string, unknown>): EventMessage {
    const seq = this.#seq;
    this.#seq += 1;
    const event: EventMessage = {
      id: uuid(this.firstNumber + 1 + seq),
      type,
      source: "proxy",
      subject: this.sessionId,
      time: at,
      data: { ...data, recorder: { id: "proxy-1", epoch: this.#epoch, seq, prevHash: this.#prevHash } },
    };
    this.#prevHash = leafHashHex(event);
    return event;
  }
}
