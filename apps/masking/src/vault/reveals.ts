import { Inject, Injectable } from "@nestjs/common";
import { scanText } from "@countersign/card-data";
import type { EventOn, Principal } from "@countersign/contracts";
import { ApiError, Clock, EventLog, LOG, type Logger } from "@countersign/service-kit";
import { openOriginal, openSessionKey, OriginalUnreadable } from "../domain/open-original.js";
import { CardDataPolicyInForce } from "../policy/card-data-policy.js";
import { PolicyView } from "../policy/policy.view.js";
import { VaultKeys } from "./vault-keys.js";
import { type StoredOriginal, VaultStore } from "./vault.store.js";

export interface Reveal {
  readonly originalId: string;
  readonly sessionId: string;
  readonly callId: string;
  readonly endpoint: string;
  readonly direction: StoredOriginal["direction"];
  readonly text: string;
}

type VaultEvent = EventOn<"masking.events">;

/** Opens an original for who may see it. The reveal, or its refusal, is on the log before anything is answered. */
@Injectable()
export class Reveals {
  constructor(
    @Inject(VaultStore) private readonly store: VaultStore,
    @Inject(VaultKeys) private readonly keys: VaultKeys,
    @Inject(PolicyView) private readonly policy: PolicyView,
    @Inject(CardDataPolicyInForce) private readonly cardData: CardDataPolicyInForce,
    @Inject(EventLog) private readonly eventLog: EventLog,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  async reveal(originalId: string, by: Principal, justification: string): Promise<Reveal> {
    const original = await this.store.original(originalId);
    if (!this.policy.may("reveal", by, original?.endpoint)) {
      await this.#refused(originalId, by, "forbidden_by_policy", original);
      throw new ApiError(
        403,
        "forbidden_by_policy",
        "No policy lets you reveal this original; ask an administrator for the action `reveal`.",
      );
    }
    if (!original) {
      await this.#refused(originalId, by, "original_unknown");
      throw new ApiError(404, "original_unknown", "The vault has no original under this id.");
    }
    const text = await this.#open(original, by);
    const { sessionId, callId, endpoint, direction } = original;
    await this.#append({
      ...this.#envelope(sessionId),
      type: "OriginalRevealed",
      data: { originalId, sessionId, callId, by, justification: this.#masked(justification) },
    });
    return { originalId, sessionId, callId, endpoint, direction, text };
  }

  async #open(original: StoredOriginal, by: Principal): Promise<string> {
    try {
      if (!original.key) {
        throw new OriginalUnreadable("session_key_unreadable", "The session's key is not in the vault.");
      }
      const key = await openSessionKey({ ...original, ...original.key }, (id) => this.keys.privateKey(id));
      return await openOriginal(original, key);
    } catch (error) {
      if (!(error instanceof OriginalUnreadable)) throw error;
      this.log.error(
        { error, sessionId: original.sessionId, callId: original.callId },
        "an original does not open",
      );
      await this.#refused(original.originalId, by, error.code, original);
      throw new ApiError(410, error.code, error.message, { cause: error });
    }
  }

  async #refused(
    originalId: string,
    by: Principal,
    reason: string,
    original?: StoredOriginal,
  ): Promise<void> {
    await this.#append({
      ...this.#envelope(original?.sessionId ?? originalId),
      type: "RevealRefused",
      data: { originalId, by, reason },
    });
  }

  #envelope(subject: string) {
    return {
      id: this.clock.newId(),
      source: "masking" as const,
      subject,
      time: this.clock.now().toISOString(),
    };
  }

  /** People paste; a justification is recorded, so no card number may be left in it. */
  #masked(justification: string): string {
    const today = this.clock.now().toISOString().slice(0, 10);
    return scanText(justification, { policy: this.cardData.policy, today }).masked;
  }

  async #append(event: VaultEvent): Promise<void> {
    try {
      await this.eventLog.append({ topic: "masking.events", event });
    } catch (cause) {
      throw new ApiError(
        503,
        "evidence_unavailable",
        "A reveal is itself evidence, and that cannot be written now; try again later.",
        { cause },
      );
    }
  }
}
