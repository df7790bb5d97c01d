import { readFileSync } from "node:fs";
import type { KeyObject } from "node:crypto";
import { CountersignError } from "@countersign/contracts";
import { loadCheckpointKey, verifierKeyOf } from "@countersign/evidence";
import { type AuditConfig, logOriginOf } from "./config.js";

/** What the log signs its heads with, and under which name. */
export class CheckpointKey {
  readonly origin: string;
  /** What a reader needs to verify a checkpoint, and nothing secret. */
  readonly verifierKey: string;

  constructor(
    readonly privateKey: KeyObject,
    origin: string,
  ) {
    this.origin = origin;
    this.verifierKey = verifierKeyOf(privateKey, origin);
  }

  static load(config: AuditConfig): CheckpointKey {
    return new CheckpointKey(loadCheckpointKey(read(config.CHECKPOINT_KEY_FILE)), logOriginOf(config));
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CountersignError(
      "checkpoint_key_missing",
      "The file that CHECKPOINT_KEY_FILE names cannot be read. Make it with: openssl genpkey -algorithm ed25519",
      { cause },
    );
  }
}
