import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { id, principal, sha256, time } from "./primitives.js";

/** PCI DSS 10.2.1.3: access to the audit log is itself on the log. */
export const evidenceRead = define(
  "EvidenceRead",
  z.object({
    by: principal,
    action: z.enum(["search", "record", "timeline", "proof", "export", "checkpoint", "find-by-card"]),
    query: z.string().describe("What was asked for, as masked JSON."),
    results: z.int().nonnegative(),
  }),
  "Someone read evidence; recorded before it was shown.",
);

export const evidenceRefused = define(
  "EvidenceRefused",
  z.object({ by: principal.optional(), action: z.string(), reason: z.string() }),
  "Someone asked for evidence and was refused.",
);

export const recorderGapDetected = define(
  "RecorderGapDetected",
  z.object({
    recorderId: z.string(),
    epoch: id,
    expectedSeq: z.int(),
    foundSeq: z.int(),
    reason: z.enum(["missing", "hash_mismatch"]),
  }),
  "A recorder's numbering has a hole or a broken chain.",
);

export const evidenceAltered = define(
  "EvidenceAltered",
  z.object({
    logIndex: z.int().nonnegative(),
    eventId: z.string(),
    treeSize: z.int().nonnegative().describe("The signed checkpoint that the record no longer leads to."),
  }),
  "A stored record is no longer what the signed log says it was (PCI DSS 10.3.4).",
);

export const auditAccess = [evidenceRead, evidenceRefused, recorderGapDetected, evidenceAltered] as const;

export const checkpointSigned = define(
  "CheckpointSigned",
  z.object({
    origin: z.string(),
    treeSize: z.int().nonnegative(),
    rootHash: sha256,
    signedAt: time,
    note: z.string().describe("C2SP signed note (tlog-checkpoint, Ed25519)."),
  }),
  "The signed head of the evidence log.",
);
export const auditCheckpoints = [checkpointSigned] as const;

export type EvidenceRead = DataOf<typeof evidenceRead>;
export type EvidenceAltered = DataOf<typeof evidenceAltered>;
export type RecorderGapDetected = DataOf<typeof recorderGapDetected>;
export type CheckpointSigned = DataOf<typeof checkpointSigned>;
