import { Inject, Injectable, type OnModuleDestroy } from "@nestjs/common";
import { isDeepStrictEqual } from "node:util";
import { setTimeout as wait } from "node:timers/promises";
import { Clock, describeError, EventLog, Health, LOG, type Logger } from "@countersign/service-kit";
import { VaultKeys } from "../vault/vault-keys.js";
import { CardDataPolicyInForce } from "./card-data-policy.js";
import { PolicyFiles } from "./policy-files.js";

interface Seen {
  readonly policyVersion?: string;
  readonly vaultKeyId?: string;
  readonly publicKey?: unknown;
}

const toPublish = ["policy", "vault key"] as const;
type Published = (typeof toPublish)[number];
type UntilChanged = (signal: AbortSignal) => Promise<void>;

const lookEveryMs = 100;
const retryMs = 2_000;

/**
 * Publishes the card-data policy and the vault's public key, unless they are what was published last, and again whenever
 * the files say another policy or HashiCorp Vault another key. It waits until everything on the topic was read, so that a restart is no news.
 */
@Injectable()
export class PolicyPublisher implements OnModuleDestroy {
  #seen: Seen = {};
  readonly #published = new Set<Published>();
  #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(
    @Inject(CardDataPolicyInForce) private readonly cardData: CardDataPolicyInForce,
    @Inject(PolicyFiles) private readonly files: PolicyFiles,
    @Inject(VaultKeys) private readonly keys: VaultKeys,
    @Inject(EventLog) private readonly eventLog: EventLog,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(LOG) private readonly log: Logger,
    @Inject(Health) health: Health,
  ) {
    health.register("policies", () =>
      this.#published.size === toPublish.length ? undefined : "not published yet",
    );
  }

  /** What the topic says last. */
  seen(news: Seen): void {
    this.#seen = { ...this.#seen, ...news };
  }

  /** Publishes once `isWhole` says that everything on the topic was seen. */
  start(isWhole: () => boolean): void {
    this.#running ??= this.#run(isWhole).catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) throw error;
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(isWhole: () => boolean): Promise<void> {
    const { signal } = this.#stopped;
    while (!isWhole()) await wait(lookEveryMs, undefined, { signal });
    // Side by side: without HashiCorp Vault the policy is published all the same.
    await Promise.all(toPublish.map((what) => this.#follow(what, signal)));
  }

  async #follow(what: Published, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        const untilChanged = what === "policy" ? await this.#publishPolicy() : await this.#publishKey();
        this.#published.add(what);
        await untilChanged(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.log.error(
          { code: "policies_unpublished", context: what, reason: describeError(error) },
          "policies could not be published; trying again",
        );
        await wait(retryMs, undefined, { signal });
      }
    }
  }

  /** Answers what to wait for before it has to be done again. */
  async #publishPolicy(): Promise<UntilChanged> {
    const { policy } = this.cardData;
    if (this.#seen.policyVersion !== policy.version) {
      const { publishedAt, ...envelope } = this.#envelope();
      const data = { policy, publishedAt };
      await this.eventLog.append({
        topic: "masking.policies",
        event: { ...envelope, subject: "policy", type: "CardDataPolicyPublished", data },
      });
    }
    return (signal) => this.files.untilChanged(signal);
  }

  async #publishKey(): Promise<UntilChanged> {
    const current = await this.keys.current();
    const { keyId, publicJwk: publicKey } = current;
    if (this.#seen.vaultKeyId !== keyId || !isDeepStrictEqual(this.#seen.publicKey, publicKey)) {
      const { publishedAt, ...envelope } = this.#envelope();
      const data = { keyId, publicKey, publishedAt };
      await this.eventLog.append({
        topic: "masking.policies",
        event: { ...envelope, subject: "vault-key", type: "VaultKeyPublished", data },
      });
    }
    return (signal) => this.keys.untilOtherThan(current, signal);
  }

  #envelope() {
    const publishedAt = this.clock.now().toISOString();
    return { id: this.clock.newId(), source: "masking" as const, time: publishedAt, publishedAt };
  }
}
