import { readFileSync } from "node:fs";
import type { KeyObject } from "node:crypto";
import { CountersignError } from "@countersign/contracts";
import {
  type Checkpoint,
  CheckpointRefused,
  loadCheckpointKey,
  openCheckpoint,
  verifierKeyOf,
} from "@countersign/evidence";
import { type AuditConfig, logOriginOf } from "./config.js";

/** What the log signs its heads with, and under which name. */
export class CheckpointKey {
  readonly origin: string;
  /** What a reader needs to verify a checkpoint, and nothing secret. */
  readonly verifierKey: string;

  constructor(
    readonly privateKey: KeyObject,
    origin: string,
    /** Verifier keys that checkpoints were signed under before. */
    private readonly past: readonly string[] = [],
  ) {
    this.origin = origin;
    this.verifierKey = verifierKeyOf(privateKey, origin);
  }

  /** What a note says, if this log signed it, now or before; undefined for anyone else's. */
  open(note: string): Checkpoint | undefined {
    for (const key of [this.verifierKey, ...this.past]) {
      try {
        return openCheckpoint(note, key);
      } catch (error) {
        if (!(error instanceof CheckpointRefused)) throw error;
      }
    }
    return undefined;
  }

  static load(config: AuditConfig): CheckpointKey {
    const privateKey = loadCheckpointKey(read(config.CHECKPOINT_KEY_FILE));
    return new CheckpointKey(privateKey, logOriginOf(config), config.PAST_VERIFIER_KEYS);
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
