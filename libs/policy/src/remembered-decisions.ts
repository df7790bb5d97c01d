import type { PolicyDecision } from "./request.js";

const decisionsMax = 10_000;

/**
 * Answers to questions that were asked before. A decision depends on the bundle and the question alone, so the same
 * question of the same bundle has the same answer; the oldest answers make room.
 */
export class RememberedDecisions {
  readonly #decisions = new Map<string, PolicyDecision>();

  get(question: string): PolicyDecision | undefined {
    return this.#decisions.get(question);
  }

  add(question: string, decision: PolicyDecision): PolicyDecision {
    if (this.#decisions.size >= decisionsMax) {
      for (const oldest of this.#decisions.keys()) {
        this.#decisions.delete(oldest);
        break;
      }
    }
    this.#decisions.set(question, decision);
    return decision;
  }
}
