import { topicNames, topics } from "@countersign/contracts";
import { type Admin, ConfigResourceTypes, Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { ensureTopics } from "./topics.js";

describe("the topics", () => {
  let admin: Admin;
  beforeAll(async () => {
    admin = new Kafka({ brokers: inject("kafkaBrokers").split(","), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await ensureTopics(inject("kafkaBrokers"));
  });
  afterAll(() => admin.disconnect());

  const settingsOf = async (name: string): Promise<Record<string, string>> => {
    const { resources } = await admin.describeConfigs({
      resources: [{ type: ConfigResourceTypes.TOPIC, name }],
      includeSynonyms: false,
    });
    const entries = resources[0]?.configEntries ?? [];
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
  };

  it("are all there, with the partitions that their readers count on", async () => {
    const metadata = await admin.fetchTopicMetadata({ topics: topicNames });
    const partitions = metadata.topics.map(({ name, partitions }) => [name, partitions.length]);
    expect(Object.fromEntries(partitions)).toEqual(
      Object.fromEntries(topicNames.map((name) => [name, topics[name].partitions])),
    );
  });

  it("keep evidence for good, ciphertext for a week, and only the newest message of a compacted key", async () => {
    expect(await settingsOf("mcp.traffic")).toMatchObject({
      "cleanup.policy": "delete",
      "retention.ms": "-1",
      "retention.bytes": "-1",
      "max.message.bytes": "16777216",
      "min.insync.replicas": "1",
      "unclean.leader.election.enable": "false",
    });
    expect(await settingsOf("mcp.originals")).toMatchObject({
      "retention.ms": "604800000",
      "segment.ms": "86400000",
    });
    expect(await settingsOf("policy.bundles")).toMatchObject({ "cleanup.policy": "compact" });
  });

  it("get their settings back, beside those of an operator", async () => {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: "siem.ocsf",
          configEntries: [
            { name: "retention.ms", value: "1000" },
            { name: "compression.type", value: "zstd" },
          ],
        },
      ],
    });
    const { created, altered } = await ensureTopics(inject("kafkaBrokers"));
    expect({ created, altered }).toEqual({ created: [], altered: ["siem.ocsf"] });
    expect(await settingsOf("siem.ocsf")).toMatchObject({ "retention.ms": "-1", "compression.type": "zstd" });
  });

  it("are left alone where nothing is missing", async () => {
    expect(await ensureTopics(inject("kafkaBrokers"))).toEqual({ brokers: 1, created: [], altered: [] });
  });
});
