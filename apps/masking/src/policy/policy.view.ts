import { Inject, Injectable } from "@nestjs/common";
import type { PolicyBundle, Principal } from "@countersign/contracts";
import { PolicyEngine } from "@countersign/policy";
import { LOG, type Logger } from "@countersign/service-kit";

const daySeconds = 24 * 3_600;
const originalsSecondsDefault = 90 * daySeconds;
const approvalSecondsDefault = 600;

/** Who may reveal, shred and try, and how long what is kept, by the newest bundle. Without a readable one nobody may. */
@Injectable()
export class PolicyView {
  #engine: PolicyEngine | undefined;
  #endpoints: PolicyBundle["endpoints"] | undefined;

  constructor(@Inject(LOG) private readonly log: Logger) {}

  take(bundle: PolicyBundle): void {
    this.#endpoints = bundle.endpoints;
    try {
      this.#engine = new PolicyEngine(bundle);
    } catch (error) {
      this.#engine = undefined;
      this.log.error(
        { error, bundleVersion: bundle.version },
        "nobody may reveal until a readable bundle comes",
      );
    }
  }

  /**
   * Whether the principal may do it anywhere, or at least on the endpoint. A policy that forbids it on the endpoint
   * beats one that permits it anywhere.
   */
  may(
    action: "reveal" | "revealUnattended" | "administer",
    principal: Principal,
    endpoint?: string,
  ): boolean {
    if (!this.#engine) return false;
    if (action === "administer" || endpoint === undefined) {
      return this.#engine.decide({ action, principal }).allowed;
    }
    const there = this.#engine.decide({ action, principal, endpoint });
    const isSilent = there.policies.length === 0 && there.errors.length === 0;
    return there.allowed || (isSilent && this.#engine.decide({ action, principal }).allowed);
  }

  knows(endpoint: string): boolean {
    return this.#endpoints?.some(({ name }) => name === endpoint) ?? false;
  }

  /** How long originals can be opened, in seconds; undefined before the first bundle. */
  originalsTerms(): { byEndpoint: ReadonlyMap<string, number>; secondsDefault: number } | undefined {
    const named = this.#endpoints?.map(
      ({ name, originals }) => [name, originals?.retentionSeconds ?? originalsSecondsDefault] as const,
    );
    return named && { byEndpoint: new Map(named), secondsDefault: originalsSecondsDefault };
  }

  /** How long a second person has to approve a reveal. */
  approvalSeconds(endpoint: string): number {
    return (
      this.#endpoints?.find(({ name }) => name === endpoint)?.approval.expirySeconds ?? approvalSecondsDefault
    );
  }
}
