import { z } from "zod";
import type { Definition } from "./define.js";
import { ocsfEvent } from "./siem.ocsf.js";
import { serviceNames } from "./services.js";
import { type Topic, type TopicName, topicNames, topics } from "./topics.js";

type Json = Readonly<Record<string, unknown>>;

const cloudEvents =
  "https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md";

/** The catalogue of everything on Kafka as AsyncAPI 3.0, out of the same definitions that the services parse by. */
export function asyncApiDocument(version: string): Json {
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Countersign",
      version,
      description:
        "Every event and command of Countersign. Attributes travel as CloudEvents 1.0 headers in binary mode, data as " +
        "the JSON value; the key is the event's subject. Readers tolerate fields that they do not know. " +
        "Generated from libs/contracts: change it there.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    channels: byTopic((name) => channel(name, topics[name])),
    operations: Object.fromEntries(topicNames.map((name) => sendOperation(name, topics[name]))),
    components: {
      messages: Object.fromEntries([
        ...topicNames.flatMap((name) =>
          definitionsOf(name).map((definition) => [definition.type, message(definition, topics[name])]),
        ),
        ["OcsfEvent", ocsfMessage],
      ]),
    },
  };
}

const definitionsOf = (name: TopicName): readonly Definition[] => topics[name].messages;

const typesOf = (name: TopicName): readonly string[] =>
  name === "siem.ocsf" ? ["OcsfEvent"] : definitionsOf(name).map(({ type }) => type);

const byTopic = (make: (name: TopicName) => Json): Json =>
  Object.fromEntries(topicNames.map((name) => [name, make(name)]));

function channel(name: TopicName, topic: Topic): Json {
  return {
    address: name,
    description: `${topic.summary} Key: ${topic.key}.`,
    messages: Object.fromEntries(
      typesOf(name).map((type) => [type, { $ref: `#/components/messages/${type}` }]),
    ),
    bindings: {
      kafka: {
        topic: name,
        partitions: topic.partitions,
        topicConfiguration: {
          "cleanup.policy": [topic.compacted ? "compact" : "delete"],
          ...(topic.compacted ? {} : { "retention.ms": -1 }),
        },
        bindingVersion: "0.5.0",
      },
    },
  };
}

function sendOperation(name: TopicName, { writer }: Topic): [string, Json] {
  const sender = writer === "many" ? "Several services write" : `${writer} alone writes`;
  return [
    `${writer === "many" ? "any" : writer}/${name}`,
    {
      action: "send",
      channel: { $ref: `#/channels/${name}` },
      summary: `${sender} ${name}.`,
      tags: [{ name: writer === "many" ? "many writers" : writer }],
      messages: typesOf(name).map((type) => ({ $ref: `#/channels/${name}/messages/${type}` })),
    },
  ];
}

function message({ type, data, summary }: Definition, { writer }: Topic): Json {
  return {
    name: type,
    title: type,
    summary,
    contentType: "application/json",
    headers: {
      type: "object",
      description: cloudEvents,
      required: ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time"],
      properties: {
        ce_specversion: { type: "string", const: "1.0" },
        ce_id: { type: "string", format: "uuid", description: "UUIDv7; one event has one id for good." },
        ce_type: { type: "string", const: type },
        ce_source: { type: "string", enum: writer === "many" ? serviceNames : [writer] },
        ce_subject: { type: "string", description: "The message key." },
        ce_time: { type: "string", format: "date-time" },
        ce_cause: {
          type: "string",
          format: "uuid",
          description: "The id of the message that this one answers.",
        },
        "content-type": { type: "string", const: "application/json" },
      },
    },
    payload: jsonSchema(data),
  };
}

const ocsfMessage: Json = {
  name: "OcsfEvent",
  title: "OcsfEvent",
  summary: "One record as an OCSF 1.8 event. https://schema.ocsf.io",
  contentType: "application/json",
  payload: jsonSchema(ocsfEvent),
};

/** What a reader accepts; AsyncAPI's schemas are a superset of JSON Schema draft 7. */
function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  return rest;
}
