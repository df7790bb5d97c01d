import type { KeyObject } from "node:crypto";
import { fromBase64, toBase64 } from "./base64.js";
import { CheckpointRefused } from "./errors.js";
import { hashBytes } from "./hashes.js";
import { openNote, signNote } from "./signed-note.js";

/** The head of the log: its name, how many records it has, and the root over all of them. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

export interface CheckpointToSign extends Checkpoint {
  readonly privateKey: KeyObject;
  /** The log's origin unless told otherwise, as the specification recommends. */
  readonly keyName?: string;
}

/** A checkpoint as a signed note. https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md */
export function signCheckpoint({ origin, size, root, privateKey, keyName }: CheckpointToSign): string {
  if (origin === "" || /\n/.test(origin)) throw malformed("The origin must be one line that is not empty.");
  if (!Number.isSafeInteger(size) || size < 0) throw malformed("The size must be a whole number from 0 on.");
  if (root.byteLength !== hashBytes) throw malformed("The root hash must have 32 bytes.");
  return signNote(`${origin}\n${size}\n${toBase64(root)}\n`, privateKey, keyName ?? origin);
}

/**
 * What the checkpoint says, once its signature by `verifierKey` was verified. Extension lines are allowed and passed
 * over, as the specification asks. Throws `CheckpointRefused`.
 */
export function openCheckpoint(note: string, verifierKey: string): Checkpoint {
  const [origin, size, root] = openNote(note, verifierKey).split("\n");
  if (origin === undefined || origin === "") throw malformed("The origin is missing.");
  if (size === undefined || !/^(0|[1-9][0-9]*)$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw malformed("The size is not a whole number from 0 on.");
  }
  const rootBytes = root === undefined ? undefined : fromBase64(root);
  if (rootBytes?.byteLength !== hashBytes) throw malformed("The root hash has not 32 bytes.");
  return { origin, size: Number(size), root: rootBytes };
}

const malformed = (reason: string): CheckpointRefused =>
  new CheckpointRefused("checkpoint_malformed", `This is not a checkpoint. ${reason}`);
