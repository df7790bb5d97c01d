import { createHash } from "node:crypto";
import type { CardDataPolicy } from "@countersign/contracts";

/** The card-data policy of countersign.yaml, named by its content: the same words are the same version. */
export class CardDataPolicyInForce {
  readonly policy: CardDataPolicy;

  constructor(content: Omit<CardDataPolicy, "version">) {
    const { panKeys, cvvKeys, trackKeys, pinKeys, contextWords, allow } = content;
    const named = { panKeys, cvvKeys, trackKeys, pinKeys, contextWords, allow };
    const version = createHash("sha256").update(JSON.stringify(named)).digest("hex");
    this.policy = { version, ...named };
  }
}
