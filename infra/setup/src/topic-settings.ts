import { recordBytesMax, type Topic } from "@countersign/contracts";
import { SetupFailed } from "./setup-failed.js";

const replicasWanted = 3;
const dayMs = 24 * 3_600 * 1_000;

export const replicationFactor = (brokers: number): number => Math.min(replicasWanted, brokers);

/** What a topic that carries evidence must be told, whatever the broker's defaults are. */
export function topicSettings(topic: Topic, replicas: number): ReadonlyMap<string, string> {
  return new Map([
    topic.compacted ? ["cleanup.policy", "compact"] : ["cleanup.policy", "delete"],
    // Evidence does not expire on Kafka by itself; ciphertext has to, or destroying a key would not be the end of it.
    ["retention.ms", String(topic.retentionDays === undefined ? -1 : topic.retentionDays * dayMs)],
    // Only whole segments are dropped, so they may not grow for a week.
    ...(topic.retentionDays === undefined ? [] : [["segment.ms", String(dayMs)] as const]),
    ["retention.bytes", "-1"],
    ["max.message.bytes", String(recordBytesMax)],
    ["min.insync.replicas", replicas >= replicasWanted ? "2" : "1"],
    // A replica that lags behind must not become the leader: what it lacks would be gone.
    ["unclean.leader.election.enable", "false"],
  ]);
}

/**
 * Refuses a topic with another number of partitions than its readers count on. More of them are fine where order is
 * per key, but setup does not add any: the keys would move to other partitions, and with them the order of what is there.
 */
export function assertPartitions(name: string, topic: Topic, partitions: number): void {
  const fits = topic.partitions === 1 ? partitions === 1 : partitions >= topic.partitions;
  if (fits) return;
  const wanted = topic.partitions === 1 ? "exactly 1" : `at least ${topic.partitions}`;
  throw new SetupFailed(
    "topic_partitions",
    `The topic ${name} has ${partitions} partitions, and Countersign needs ${wanted}. ` +
      "Stop the services, keep the topic's messages under another name, delete it and run setup again.",
  );
}
