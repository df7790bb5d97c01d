import { createHmac } from "node:crypto";

import type { CardDataPolicy, Strictness } from "@countersign/contracts";

import type { ClassifyKey } from "./keys.js";
import { keyClassifier } from "./keys.js";
import type { AllowedShape } from "./allowed.js";
import { compileAllowed } from "./allowed.js";
import { CARD_BY_CONTEXT, CARD_BY_NAME, MAYBE_CARD } from "./suspect-digits.js";

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
  strictness: Strictness;
  /** The least suspicion (see suspect-digits.ts) with which digits are looked at, whatever the names around them say. */
  suspicionMin: number;
  fingerprint(digits: string): string | undefined;
}

const SUSPICION_MIN = { normal: MAYBE_CARD, strict: CARD_BY_CONTEXT, strictest: CARD_BY_NAME } as const;

export function prepare(options: ScanOptions): Settings {
  const { policy, fingerprintKey, today } = options;
  return {
    classify: keyClassifier(policy),
    contextWords: policy.contextWords,
    allowed: compileAllowed(policy.allow, today),
    strictness: policy.strictness,
    suspicionMin: SUSPICION_MIN[policy.strictness],
    fingerprint: (digits) =>
      fingerprintKey && createHmac("sha256", fingerprintKey).update(digits).digest("hex"),
  };
}
