import { CountersignError } from "@countersign/contracts";

/** A value has no canonical form. The record must be refused: writing part of it would be a different record. */
export class CanonicalizationRefused extends CountersignError {
  constructor(reason: string, path: string) {
    super(
      "canonicalization_refused",
      `The value at "${path}" has no canonical form: ${reason}. Leave the member out, or write it as JSON can.`,
    );
  }
}

/** A record is larger than the log takes. The call that it belongs to must be refused. */
export class LeafTooLarge extends CountersignError {
  constructor(bytes: number, bytesMax: number) {
    super(
      "leaf_too_large",
      `The record's canonical form has ${bytes} bytes and the log takes ${bytesMax}. Refuse the call, or record less beside its payloads.`,
    );
  }
}

/** A node, index or size that is not part of the tree was asked for. */
export class OutsideTree extends CountersignError {
  constructor(message: string) {
    super("outside_tree", message);
  }
}

export type CheckpointErrorCode =
  | "note_malformed"
  | "checkpoint_malformed"
  | "verifier_key_malformed"
  | "checkpoint_key_unusable"
  | "signature_missing"
  | "signature_invalid";

/** A checkpoint, its signed note or its key cannot be trusted; `code` says which. */
export class CheckpointRefused extends CountersignError {
  declare readonly code: CheckpointErrorCode;

  // oxlint-disable-next-line no-useless-constructor -- It narrows the code to those of checkpoints.
  constructor(code: CheckpointErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}
