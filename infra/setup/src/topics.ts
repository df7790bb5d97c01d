import { setTimeout } from "node:timers/promises";
import { type Topic, type TopicName, topicNames, topics } from "@countersign/contracts";
import kafkajs, { type Admin } from "kafkajs";
import { assertPartitions, replicationFactor, topicSettings } from "./topic-settings.js";

const { ConfigResourceTypes, ConfigSource, Kafka, logLevel } = kafkajs;

const leadersMsMax = 30_000;

export interface TopicsOutcome {
  readonly brokers: number;
  readonly created: readonly TopicName[];
  readonly altered: readonly TopicName[];
}

/** Makes the missing topics and brings the settings of the others back to what evidence needs. May run any number of times. */
export async function ensureTopics(brokers: string): Promise<TopicsOutcome> {
  const kafka = new Kafka({
    clientId: "countersign-setup",
    brokers: brokers.split(","),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    retry: { initialRetryTime: 200, maxRetryTime: 2_000, retries: 8 },
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const cluster = await admin.describeCluster();
    const existing = new Set(await admin.listTopics());
    const missing = topicNames.filter((name) => !existing.has(name));
    const present = topicNames.filter((name) => existing.has(name));
    const altered = await alterTopics(admin, present);
    await createTopics(admin, missing, replicationFactor(cluster.brokers.length));
    await waitForLeaders(admin, missing);
    return { brokers: cluster.brokers.length, created: missing, altered };
  } finally {
    await admin.disconnect();
  }
}

async function createTopics(admin: Admin, names: readonly TopicName[], replicas: number): Promise<void> {
  if (names.length === 0) return;
  await admin.createTopics({
    waitForLeaders: false,
    topics: names.map((name) => ({
      topic: name,
      numPartitions: topics[name].partitions,
      replicationFactor: replicas,
      configEntries: [...topicSettings(topics[name], replicas)].map(([setting, value]) => ({
        name: setting,
        value,
      })),
    })),
  });
}

/** A topic that was just made has no leader for a moment, in which the client library's own wait may fail. */
async function waitForLeaders(admin: Admin, names: readonly TopicName[]): Promise<void> {
  const deadline = Date.now() + leadersMsMax;
  for (;;) {
    const problem = await Promise.all(names.map((name) => admin.fetchTopicOffsets(name))).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (problem === undefined) return;
    if (Date.now() > deadline) throw problem;
    await setTimeout(100);
  }
}

async function alterTopics(admin: Admin, names: readonly TopicName[]): Promise<TopicName[]> {
  if (names.length === 0) return [];
  const metadata = await admin.fetchTopicMetadata({ topics: [...names] });
  const altered: TopicName[] = [];
  for (const name of names) {
    const topic: Topic = topics[name];
    const partitions = metadata.topics.find((found) => found.name === name)?.partitions ?? [];
    assertPartitions(name, topic, partitions.length);
    const replicas = Math.min(...partitions.map((partition) => partition.replicas.length));
    if (await alterTopic(admin, name, topicSettings(topic, replicas))) altered.push(name);
  }
  return altered;
}

/** Kafka replaces all settings of a topic at once, so what an operator has added is handed back with ours. */
async function alterTopic(
  admin: Admin,
  name: TopicName,
  wanted: ReadonlyMap<string, string>,
): Promise<boolean> {
  const resource = { type: ConfigResourceTypes.TOPIC, name };
  const described = await admin.describeConfigs({ resources: [resource], includeSynonyms: false });
  const current = described.resources[0]?.configEntries ?? [];
  const own = current.filter((entry) => entry.configSource === ConfigSource.TOPIC_CONFIG);
  const settings = new Map(own.map((entry) => [entry.configName, entry.configValue]));
  if ([...wanted].every(([setting, value]) => settings.get(setting) === value)) return false;
  const configEntries = [...new Map([...settings, ...wanted])].map(([setting, value]) => ({
    name: setting,
    value,
  }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] });
  return true;
}
