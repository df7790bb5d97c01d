import {
  definitionOn,
  eventAttributes,
  type EventMessage,
  type MessageQuarantined,
  type ServiceName,
  type TopicName,
} from "@countersign/contracts";
import type { IHeaders, Message } from "kafkajs";

/** Writes an event as a CloudEvents 1.0 message in binary mode: attributes as headers, data as the value. */
export function encodeEvent(event: EventMessage): Message {
  return {
    key: event.subject,
    value: Buffer.from(JSON.stringify(event.data)),
    headers: {
      ce_specversion: "1.0",
      ce_id: event.id,
      ce_type: event.type,
      ce_source: event.source,
      ce_subject: event.subject,
      ce_time: event.time,
      ...(event.cause === undefined ? {} : { ce_cause: event.cause }),
      "content-type": "application/json",
    },
  };
}

/** Why a message cannot be read; `detail` names places and codes, never values. */
export interface Unreadable {
  readonly reason: MessageQuarantined["reason"];
  readonly detail: string;
}

export type Decoded =
  | { readonly event: EventMessage; readonly problem?: undefined }
  | { readonly event?: undefined; readonly problem: Unreadable };

/** Reads a message by the topic's contract. Unknown fields pass through untouched; unknown types do not. */
export function decodeEvent(topic: TopicName, headers: IHeaders | undefined, value: Buffer | null): Decoded {
  const attributes = eventAttributes.safeParse({
    id: text(headers, "ce_id"),
    type: text(headers, "ce_type"),
    source: text(headers, "ce_source"),
    subject: text(headers, "ce_subject"),
    time: text(headers, "ce_time"),
    cause: text(headers, "ce_cause"),
  });
  if (!attributes.success) return unreadable("invalid_envelope", placesOf(attributes.error.issues));
  const definition = definitionOn(topic, attributes.data.type);
  if (!definition) return unreadable("unknown_type", `${topic} does not carry this type`);
  let data: unknown;
  try {
    data = JSON.parse(value?.toString("utf8") ?? "");
  } catch {
    return unreadable("invalid_data", "value is not JSON");
  }
  const checked = definition.data.safeParse(data);
  if (!checked.success) return unreadable("invalid_data", placesOf(checked.error.issues));
  // The data goes on as it was written, not as the schema returned it: a later version's fields are evidence too.
  return { event: { ...attributes.data, source: attributes.data.source as ServiceName, data } };
}

const unreadable = (reason: Unreadable["reason"], detail: string): Decoded => ({
  problem: { reason, detail },
});

const placesOf = (issues: readonly { path: PropertyKey[]; code?: string | undefined }[]): string =>
  issues
    .slice(0, 10)
    .map((issue) => `/${issue.path.map(String).join("/")}: ${issue.code ?? "invalid"}`)
    .join(", ");

const text = (headers: IHeaders | undefined, name: string): string | undefined => {
  const header = headers?.[name];
  if (header === undefined) return undefined;
  return (Array.isArray(header) ? header[0] : header)?.toString();
};
