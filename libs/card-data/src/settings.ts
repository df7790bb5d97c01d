import { createHmac } from "node:crypto";

import type { CardDataPolicy } from "@countersign/contracts";

import type { ClassifyKey } from "./keys.js";
import { keyClassifier } from "./keys.js";
import type { AllowedShape } from "./allowed.js";
import { compileAllowed } from "./allowed.js";

export interface ScanOptions {
  policy: CardDataPolicy;
  /** Key of the fingerprints. Without it findings carry none. */
  fingerprintKey?: Uint8Array;
  /** The day (`YYYY-MM-DD`, UTC) that the policy's allowed shapes are judged at. Without it none of them counts. */
  today?: string;
}

/** Options made ready for one scan. */
export interface Settings {
  classify: ClassifyKey;
  contextWords: readonly string[];
  allowed: readonly AllowedShape[];
  fingerprint(digits: string): string | undefined;
}

export function prepare(options: ScanOptions): Settings {
  const { policy, fingerprintKey, today } = options;
  return {
    classify: keyClassifier(policy),
    contextWords: policy.contextWords,
    allowed: compileAllowed(policy.allow, today),
    fingerprint: (digits) =>
      fingerprintKey && createHmac("sha256", fingerprintKey).update(digits).digest("hex"),
  };
}
