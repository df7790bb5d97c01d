import { Inject, Injectable } from "@nestjs/common";
import type { Principal, RevealView } from "@countersign/contracts";
import { ApiError } from "@countersign/service-kit";
import { PersonsWords } from "../policy/persons-words.js";
import { PolicyView } from "../policy/policy.view.js";
import { Opening, type Reveal } from "./opening.js";
import { RevealRequests } from "./reveal-requests.js";
import { type StoredOriginal, VaultStore } from "./vault.store.js";

/** Who may see an original, and whether a second person has to agree first. */
@Injectable()
export class Reveals {
  constructor(
    @Inject(VaultStore) private readonly store: VaultStore,
    @Inject(PolicyView) private readonly policy: PolicyView,
    @Inject(Opening) private readonly opening: Opening,
    @Inject(RevealRequests) private readonly requests: RevealRequests,
    @Inject(PersonsWords) private readonly words: PersonsWords,
  ) {}

  /** The original, or the request that a second person now has to approve. */
  async reveal(
    originalId: string,
    by: Principal,
    given: string,
  ): Promise<{ shown: Reveal } | { waiting: RevealView }> {
    const original = await this.#permitted(originalId, by);
    const justification = this.words.masked(given);
    // Nobody is asked about what cannot be opened any more; opening says so.
    if (original.shredded || this.policy.may("revealUnattended", by, original.endpoint)) {
      return { shown: await this.opening.open(original, { by, justification }) };
    }
    return { waiting: await this.requests.request(original, by, justification) };
  }

  status(revealId: string, by: Principal): Promise<RevealView> {
    return this.requests.status(revealId, by);
  }

  /** Shows what a second person approved, once, and only to the one who asked for it. */
  show(revealId: string, by: Principal): Promise<Reveal> {
    return this.requests.claim(revealId, by, async ({ originalId, justification, approvedBy }) => {
      const original = await this.#permitted(originalId, by);
      return this.opening.open(original, { by, justification, approvalId: revealId, approvedBy });
    });
  }

  async #permitted(originalId: string, by: Principal): Promise<StoredOriginal> {
    const original = await this.store.original(originalId);
    if (!this.policy.may("reveal", by, original?.endpoint)) {
      await this.opening.refused(originalId, by, "forbidden_by_policy", original);
      throw new ApiError(
        403,
        "forbidden_by_policy",
        "No policy lets you reveal this original; ask an administrator for the action `reveal`.",
      );
    }
    if (original) return original;
    await this.opening.refused(originalId, by, "original_unknown");
    throw new ApiError(404, "original_unknown", "The vault has no original under this id.");
  }
}
