import {
  CountersignError,
  type EventMessage,
  type MessageQuarantined,
  type Recorder,
  type TopicName,
} from "@countersign/contracts";
import { leafHash, leafOf, recorderOf, withoutCiphertext } from "@countersign/evidence";
import { type Delivery, quarantineOf } from "@countersign/service-kit";
import { idOfPlace } from "./place-id.js";

/** One entry of the log before it has its index. */
export interface LogRecord {
  readonly event: EventMessage;
  /** The data as it was received, without ciphertext: what a reader parses and what the leaf is made of. */
  readonly dataText: string;
  readonly leafHash: Uint8Array;
  readonly place: { readonly topic: TopicName; readonly partition: number; readonly offset: string };
  /** The recorder's own numbering; only on `mcp.traffic`. */
  readonly recorder?: Recorder;
  /** Set where this stands in place of a message that cannot be kept as it is. */
  readonly quarantined?: MessageQuarantined;
}

type Problem = NonNullable<Delivery["problem"]>;

/**
 * The record of a message. A message that cannot be read, or not be kept and made again exactly, is recorded by its
 * place and digest instead: it is never passed over and never stops the log.
 */
export function recordOf(delivery: Delivery, now: Date): LogRecord {
  if (!delivery.event) return quarantinedRecord(delivery, now);
  const { event } = delivery;
  const problem = storageProblem(event);
  if (problem) return quarantinedRecord({ ...delivery, problem }, now);
  try {
    const recorder = delivery.topic === "mcp.traffic" ? recorderOf(event) : undefined;
    if (recorder && !isPlain(recorder.id, keyCharactersMax)) {
      return quarantinedRecord({ ...delivery, problem: invalidData("/recorder/id") }, now);
    }
    return {
      event,
      dataText: keptText(event, delivery.value),
      leafHash: leafHash(leafOf(event)),
      place: placeOf(delivery),
      ...(recorder ? { recorder } : {}),
    };
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return quarantinedRecord({ ...delivery, problem: { reason: "invalid_data", detail: error.code } }, now);
  }
}

/**
 * What can never be deleted again must not hold what can be decrypted: shredding a session's key in the vault has to be
 * the end of its originals. Their digests stay, and so does the leaf.
 */
const keptText = (event: EventMessage, value: Buffer | null): string => {
  const kept = withoutCiphertext(event);
  return kept === event.data ? (value?.toString("utf8") ?? "") : JSON.stringify(kept);
};

/** What is recorded in place of a message, under an id that its place alone decides. */
export function quarantinedRecord(delivery: Delivery, now: Date): LogRecord {
  const data = quarantineOf(delivery, "audit");
  const event: EventMessage = {
    id: idOfPlace(delivery),
    type: "MessageQuarantined",
    source: "audit",
    subject: delivery.topic,
    time: now.toISOString(),
    data,
  };
  return {
    event,
    dataText: JSON.stringify(data),
    leafHash: leafHash(leafOf(event)),
    place: placeOf(delivery),
    quarantined: data,
  };
}

/** Longer than any id or key of ours, and short enough for an index of PostgreSQL. */
const keyCharactersMax = 512;

const storageProblem = (event: EventMessage): Problem | undefined => {
  const wrong = (["source", "subject"] as const).find((name) => !isPlain(event[name], keyCharactersMax));
  return wrong && { reason: "invalid_envelope", detail: `/${wrong}: holds U+0000 or is too long` };
};

const invalidData = (path: string): Problem => ({
  reason: "invalid_data",
  detail: `${path}: holds U+0000 or is too long`,
});

/** PostgreSQL's text cannot hold U+0000. */
const isPlain = (text: string, charactersMax: number): boolean =>
  text.length <= charactersMax && !text.includes("\0");

const placeOf = ({ topic, partition, offset }: Delivery): LogRecord["place"] => ({
  topic,
  partition,
  offset,
});
