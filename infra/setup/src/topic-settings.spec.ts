import { topics } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { assertPartitions, replicationFactor, topicSettings } from "./topic-settings.js";

describe("a topic that is there already", () => {
  it("is refused with fewer partitions than its readers count on", () => {
    expect(() => assertPartitions("session.events", topics["session.events"], 2)).toThrow(
      "The topic session.events has 2 partitions, and Countersign needs at least 3.",
    );
  });

  it("is refused with more partitions where readers need one order over all keys", () => {
    expect(() => assertPartitions("mcp.traffic", topics["mcp.traffic"], 3)).toThrow("exactly 1");
  });

  it("may have more partitions where order is per key", () => {
    expect(() => assertPartitions("session.events", topics["session.events"], 12)).not.toThrow();
  });
});

describe("retention", () => {
  const retentionOf = (name: "mcp.traffic" | "mcp.originals") =>
    topicSettings(topics[name], 1).get("retention.ms");

  it("has no end for evidence, and one for sealed originals and wrapped keys", () => {
    expect(retentionOf("mcp.traffic")).toBe("-1");
    expect(retentionOf("mcp.originals")).toBe("604800000");
  });
});

describe("replication", () => {
  it.each([
    [1, 1, "1"],
    [2, 2, "1"],
    [3, 3, "2"],
    [9, 3, "2"],
  ])("over %i brokers is %i, of which %s must be in sync", (brokers, replicas, inSync) => {
    expect(replicationFactor(brokers)).toBe(replicas);
    expect(topicSettings(topics["mcp.traffic"], replicas).get("min.insync.replicas")).toBe(inSync);
  });
});
