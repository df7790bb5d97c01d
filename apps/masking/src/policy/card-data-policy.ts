import { createHash } from "node:crypto";
import { policyFor } from "@countersign/card-data";
import type { CardDataPolicy } from "@countersign/contracts";

type Content = Omit<CardDataPolicy, "version">;

/** The card-data policy of countersign.yaml, named by its content: the same words are the same version. */
export class CardDataPolicyInForce {
  #policy: CardDataPolicy;

  constructor(content: Content) {
    this.#policy = versioned(content);
  }

  get policy(): CardDataPolicy {
    return this.#policy;
  }

  /** What holds at an endpoint; for what belongs to none, what holds for all. */
  at(endpoint: string | undefined): CardDataPolicy {
    return endpoint === undefined ? this.#policy : policyFor(this.#policy, endpoint);
  }

  /** Another policy holds from now on; false where it says the same. */
  take(content: Content): boolean {
    const policy = versioned(content);
    if (policy.version === this.#policy.version) return false;
    this.#policy = policy;
    return true;
  }
}

function versioned(content: Content): CardDataPolicy {
  const { panKeys, cvvKeys, trackKeys, pinKeys, contextWords, allow } = content;
  const { strictness, requests, opaque, endpoints } = content;
  const rules = { panKeys, cvvKeys, trackKeys, pinKeys, contextWords, allow };
  const named = { ...rules, strictness, requests, opaque, endpoints };
  return { version: createHash("sha256").update(JSON.stringify(named)).digest("hex"), ...named };
}
