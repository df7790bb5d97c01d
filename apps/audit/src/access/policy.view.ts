import { Inject, Injectable } from "@nestjs/common";
import type { PolicyBundle, Principal } from "@countersign/contracts";
import { PolicyEngine } from "@countersign/policy";
import { LOG, type Logger } from "@countersign/service-kit";

/** Who may search, by the newest policy bundle. Without one that can be read, nobody may. */
@Injectable()
export class PolicyView {
  #engine: PolicyEngine | undefined;

  constructor(@Inject(LOG) private readonly log: Logger) {}

  take(bundle: PolicyBundle): void {
    try {
      this.#engine = new PolicyEngine(bundle);
    } catch (error) {
      this.#engine = undefined;
      this.log.error(
        { error, bundleVersion: bundle.version },
        "nobody may search until a readable bundle comes",
      );
    }
  }

  /**
   * Whether the principal may search the whole log, or at least what concerns the endpoint. A policy that forbids it on
   * the endpoint beats one that permits it everywhere.
   */
  maySearch(principal: Principal, endpoint?: string): boolean {
    if (!this.#engine) return false;
    const everywhere = () => this.#engine?.decide({ action: "search", principal }).allowed ?? false;
    if (endpoint === undefined) return everywhere();
    const there = this.#engine.decide({ action: "search", principal, endpoint });
    const isSilent = there.policies.length === 0 && there.errors.length === 0;
    return there.allowed || (isSilent && everywhere());
  }
}
