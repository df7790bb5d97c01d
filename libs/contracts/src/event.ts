import { z } from "zod";
import type { Definition, MessageOf } from "./define.js";
import { id, time } from "./primitives.js";
import type { ServiceName } from "./services.js";
import { type TopicName, topics } from "./topics.js";

/**
 * A message on the log. On Kafka its attributes are CloudEvents 1.0 headers in binary mode and its value is `data`
 * as JSON. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 */
export interface EventMessage<T extends string = string, D = unknown> {
  readonly id: string;
  readonly type: T;
  readonly source: ServiceName;
  /** The message key: what the event is about. */
  readonly subject: string;
  readonly time: string;
  /** The id of the message that this one answers. */
  readonly cause?: string;
  readonly data: D;
}

export const eventAttributes = z.object({
  id,
  type: z.string(),
  source: z.string(),
  subject: z.string(),
  time,
  cause: id.optional(),
});

type Distribute<M> = M extends { type: infer T extends string; data: infer D } ? EventMessage<T, D> : never;

/** The union of messages on one topic. */
export type EventOn<N extends TopicName> = Distribute<
  MessageOf<(typeof topics)[N]["messages"][number] & Definition>
>;

/** The definition of `type` on `topic`, or undefined where the topic does not carry it. */
export const definitionOn = (topic: TopicName, type: string): Definition | undefined =>
  (topics[topic].messages as readonly Definition[]).find((definition) => definition.type === type);
