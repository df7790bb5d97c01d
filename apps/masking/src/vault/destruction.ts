import { Inject, Injectable } from "@nestjs/common";
import type { Principal, SessionKeyDestroyed } from "@countersign/contracts";
import { ApiError, Clock, Outbox } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { PersonsWords } from "../policy/persons-words.js";
import { PolicyView } from "../policy/policy.view.js";
import { type Destroyed, DestructionStore } from "./destruction.store.js";
import { VaultLog } from "./vault-log.js";

const batchMax = 200;

/**
 * Destroys session keys: when their term is over, and when an administrator asks for it (PCI DSS 3.2.1, 3.7.5). That it
 * happened is on the log, by the transaction that does it; the records and their proofs stay whole.
 */
@Injectable()
export class Destruction {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(DestructionStore) private readonly store: DestructionStore,
    @Inject(PolicyView) private readonly policy: PolicyView,
    @Inject(PersonsWords) private readonly words: PersonsWords,
    @Inject(VaultLog) private readonly log: VaultLog,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async onRequest(sessionId: string, by: Principal, justification: string): Promise<Destroyed> {
    if (!this.policy.may("administer", by)) {
      await this.#refused(sessionId, by, "forbidden_by_policy");
      throw new ApiError(
        403,
        "forbidden_by_policy",
        "No policy lets you shred a session's originals; ask for the action `administer`.",
      );
    }
    const why = { cause: "request" as const, by, justification: this.words.masked(justification) };
    const destroyed = await this.#destroy(sessionId, why);
    if (destroyed.keyIds.length === 0 && !(await this.store.wasDestroyed(sessionId))) {
      await this.#refused(sessionId, by, "session_unknown");
      throw new ApiError(404, "session_unknown", "The vault holds no key of this session.");
    }
    return destroyed;
  }

  /** Destroys what is past its term, so many keys at a time. */
  async overdue(): Promise<void> {
    const terms = this.policy.originalsTerms();
    if (!terms) return;
    const keys = await this.store.expired(terms.byEndpoint, {
      secondsDefault: terms.secondsDefault,
      now: this.clock.now(),
      limit: batchMax,
    });
    for (const [sessionId, own] of Map.groupBy(keys, (key) => key.sessionId)) {
      const keyIds = own.map(({ keyId }) => keyId);
      await this.#destroy(sessionId, { cause: "retention" }, keyIds);
    }
  }

  /** PCI DSS 10.2.1.4: who tried what they may not, or what cannot be, is on the log before they are told. */
  #refused(sessionId: string, by: Principal, reason: string): Promise<void> {
    const time = this.clock.now().toISOString();
    const about = { id: this.clock.newId(), source: "masking" as const, subject: sessionId, time };
    return this.log.append({ ...about, type: "ShredRefused", data: { sessionId, by, reason } });
  }

  async #destroy(
    sessionId: string,
    why: Pick<SessionKeyDestroyed, "cause" | "by" | "justification">,
    only?: readonly string[],
  ): Promise<Destroyed> {
    const destroyed = await this.dataSource.transaction(async (manager) => {
      const { keyIds, originals } = await this.store.destroy(manager, sessionId, only);
      if (keyIds.length === 0) return { keyIds, originals };
      await this.outbox.add(manager, {
        topic: "masking.events",
        event: {
          id: this.clock.newId(),
          type: "SessionKeyDestroyed",
          source: "masking",
          subject: sessionId,
          time: this.clock.now().toISOString(),
          data: { sessionId, keyIds: [...keyIds], originals, ...why },
        },
      });
      return { keyIds, originals };
    });
    this.outbox.wake();
    return destroyed;
  }
}
