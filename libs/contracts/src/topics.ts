import type { Definition } from "./define.js";
import { approvalCommands, approvalEvents } from "./approval.messages.js";
import { auditAccess, auditCheckpoints } from "./audit.events.js";
import { identityEvents } from "./identity.events.js";
import { maskingEvents, maskingPolicies } from "./masking.events.js";
import { mcpHolds } from "./mcp.holds.js";
import { mcpOriginals } from "./mcp.originals.js";
import { mcpTraffic } from "./mcp.traffic.js";
import { policyBundles } from "./policy.bundles.js";
import { quarantineEvents } from "./quarantine.events.js";
import type { ServiceName } from "./services.js";
import { sessionCommands, sessionEvents } from "./session.messages.js";
import { mcpTools, policyTools } from "./tools.js";

export interface Topic {
  readonly summary: string;
  /** The only service that may write it; `many` for commands and quarantine. */
  readonly writer: ServiceName | "many";
  readonly messages: readonly Definition[];
  /** What the message key is; one key is one order. */
  readonly key: string;
  /** Keeps the newest message of each key instead of all of them. */
  readonly compacted?: true;
  /** Messages are dropped after this many days. Without it they stay until somebody removes them. */
  readonly retentionDays?: number;
  /** One partition where readers need one order over all keys. */
  readonly partitions: number;
}

/** Every topic of Countersign, with its one writer. */
export const topics = {
  "identity.events": {
    summary: "Who proved to be whom, and which tokens were issued.",
    writer: "identity",
    messages: identityEvents,
    key: "principal id",
    partitions: 3,
  },
  "session.commands": {
    summary: "What the broker is asked to do.",
    writer: "many",
    messages: sessionCommands,
    key: "session id",
    partitions: 3,
  },
  "session.events": {
    summary: "The life of every session.",
    writer: "session-broker",
    messages: sessionEvents,
    key: "session id",
    partitions: 3,
  },
  "policy.bundles": {
    summary: "Endpoints and Cedar policies.",
    writer: "session-broker",
    messages: policyBundles,
    key: "`bundle`",
    compacted: true,
    partitions: 1,
  },
  "policy.tools": {
    summary: "Changed tool definitions that an administrator accepted.",
    writer: "session-broker",
    messages: policyTools,
    key: "`<endpoint>/<tool>`",
    compacted: true,
    partitions: 1,
  },
  "approval.commands": {
    summary: "What the approval service is asked to do.",
    writer: "many",
    messages: approvalCommands,
    key: "approval id",
    partitions: 3,
  },
  "approval.events": {
    summary: "The life of every approval.",
    writer: "approval",
    messages: approvalEvents,
    key: "approval id",
    partitions: 3,
  },
  "mcp.traffic": {
    summary: "Every message between clients and servers, masked.",
    writer: "proxy",
    messages: mcpTraffic,
    key: "session id",
    partitions: 1,
  },
  "mcp.tools": {
    summary: "The pinned definition of every tool, and whether it changed.",
    writer: "proxy",
    messages: mcpTools,
    key: "`<endpoint>/<tool>`",
    compacted: true,
    partitions: 1,
  },
  "mcp.holds": {
    summary: "Which proxy's call waits for which approval, so that any proxy can take it up.",
    writer: "proxy",
    messages: mcpHolds,
    key: "session id",
    // A hold ends within a day.
    retentionDays: 2,
    // The first of several takers counts, so all of them need one order.
    partitions: 1,
  },
  "mcp.originals": {
    summary: "Sealed originals on their way to the vault.",
    writer: "proxy",
    messages: mcpOriginals,
    key: "session id",
    // Wrapped keys travel here too: a destroyed key shreds its originals once the vault alone could hold it.
    retentionDays: 7,
    partitions: 3,
  },
  "masking.policies": {
    summary: "The card-data policy and the vault's public key.",
    writer: "masking",
    messages: maskingPolicies,
    key: "`policy` or `vault-key`",
    compacted: true,
    partitions: 1,
  },
  "masking.events": {
    summary: "What the vault holds and who read it.",
    writer: "masking",
    messages: maskingEvents,
    key: "session id",
    partitions: 3,
  },
  "audit.access": {
    summary: "Who read the evidence, and what is wrong with it.",
    writer: "audit",
    messages: auditAccess,
    key: "principal or recorder id",
    partitions: 1,
  },
  "audit.checkpoints": {
    summary: "Signed heads of the evidence log.",
    writer: "audit",
    messages: auditCheckpoints,
    key: "log origin",
    partitions: 1,
  },
  "siem.ocsf": {
    summary: "Every record as an OCSF 1.8 event, for a SIEM.",
    writer: "audit",
    messages: [],
    key: "session id",
    partitions: 1,
  },
  "quarantine.events": {
    summary: "Messages that a consumer could not read.",
    writer: "many",
    messages: quarantineEvents,
    key: "topic",
    partitions: 1,
  },
} as const satisfies Record<string, Topic>;

export type TopicName = keyof typeof topics;
export const topicNames = Object.keys(topics) as TopicName[];

/** The largest record on any topic: the largest message, masked, sealed and wrapped. */
export const recordBytesMax = 16 * 1024 * 1024;
