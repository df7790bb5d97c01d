import { Inject, Injectable } from "@nestjs/common";
import type { EventOn, Principal } from "@countersign/contracts";
import { ApiError, Clock, LOG, type Logger, VaultFailed } from "@countersign/service-kit";
import { openOriginal, OriginalUnreadable } from "../domain/open-original.js";
import { revealable } from "../domain/revealable.js";
import { CardDataPolicyInForce } from "../policy/card-data-policy.js";
import { VaultKeys } from "./vault-keys.js";
import { VaultLog } from "./vault-log.js";
import type { StoredOriginal } from "./vault.store.js";

export interface Reveal {
  readonly originalId: string;
  readonly sessionId: string;
  readonly callId: string;
  readonly endpoint: string;
  readonly direction: StoredOriginal["direction"];
  readonly text: string;
}

type Revealed = Extract<EventOn<"masking.events">, { type: "OriginalRevealed" }>["data"];

/** Opens an original. That it is shown, or refused, is on the log before anything is answered. */
@Injectable()
export class Opening {
  constructor(
    @Inject(VaultKeys) private readonly keys: VaultKeys,
    @Inject(VaultLog) private readonly log: VaultLog,
    @Inject(CardDataPolicyInForce) private readonly cardData: CardDataPolicyInForce,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(LOG) private readonly logger: Logger,
  ) {}

  async open(
    original: StoredOriginal,
    about: Pick<Revealed, "by" | "justification" | "approvalId" | "approvedBy">,
  ): Promise<Reveal> {
    const opened = await this.#textOf(original, about.by);
    const text = revealable(opened, { policy: this.cardData.at(original.endpoint) });
    const { originalId, sessionId, callId, endpoint, direction } = original;
    await this.log.append({
      ...this.#envelope(sessionId),
      type: "OriginalRevealed",
      data: { originalId, sessionId, callId, ...about },
    });
    return { originalId, sessionId, callId, endpoint, direction, text };
  }

  async refused(
    originalId: string,
    by: Principal,
    reason: string,
    original?: Pick<StoredOriginal, "sessionId">,
  ): Promise<void> {
    await this.log.append({
      ...this.#envelope(original?.sessionId ?? originalId),
      type: "RevealRefused",
      data: { originalId, by, reason },
    });
  }

  async #textOf(original: StoredOriginal, by: Principal): Promise<string> {
    if (original.shredded) {
      await this.refused(original.originalId, by, "original_shredded", original);
      throw new ApiError(
        410,
        "original_shredded",
        "The key of this original was destroyed, so nobody can open it any more. Its record and proof remain.",
      );
    }
    try {
      if (!original.key) {
        throw new OriginalUnreadable("session_key_unreadable", "The session's key is not in the vault.");
      }
      const key = await this.keys.open({ ...original, ...original.key });
      return await openOriginal(original, key);
    } catch (error) {
      if (error instanceof VaultFailed) {
        await this.refused(original.originalId, by, error.code, original);
        throw new ApiError(
          503,
          "vault_keys_unavailable",
          "HashiCorp Vault, which holds the vault's keys, does not open this original now. Nothing was shown; tell an administrator, and try again later.",
          { cause: error },
        );
      }
      if (!(error instanceof OriginalUnreadable)) throw error;
      this.logger.error(
        { error, sessionId: original.sessionId, callId: original.callId },
        "an original does not open",
      );
      await this.refused(original.originalId, by, error.code, original);
      throw new ApiError(410, error.code, error.message, { cause: error });
    }
  }

  #envelope(subject: string) {
    return {
      id: this.clock.newId(),
      source: "masking" as const,
      subject,
      time: this.clock.now().toISOString(),
    };
  }
}
