import type { TopicName } from "@countersign/contracts";

/**
 * Everything that happens is evidence, except what the log itself makes of it, and what proxies tell each other of holds,
 * which is on `mcp.traffic` as well.
 */
export const projectedTopics = [
  "identity.events",
  "session.commands",
  "session.events",
  "policy.bundles",
  "policy.tools",
  "approval.commands",
  "approval.events",
  "mcp.traffic",
  "mcp.tools",
  "mcp.originals",
  "masking.policies",
  "masking.events",
  "audit.access",
  "quarantine.events",
] as const satisfies readonly TopicName[];
