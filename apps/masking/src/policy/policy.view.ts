import { Inject, Injectable } from "@nestjs/common";
import type { PolicyBundle, Principal } from "@countersign/contracts";
import { PolicyEngine } from "@countersign/policy";
import { LOG, type Logger } from "@countersign/service-kit";

/** Who may reveal and try, by the newest policy bundle. Without one that can be read, nobody may. */
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
        "nobody may reveal until a readable bundle comes",
      );
    }
  }

  /** Whether the principal may do it anywhere, or at least on the endpoint. */
  may(action: "reveal" | "administer", principal: Principal, endpoint?: string): boolean {
    const allowed = (request: Parameters<PolicyEngine["decide"]>[0]): boolean =>
      this.#engine?.decide(request).allowed ?? false;
    if (action === "administer") return allowed({ action, principal });
    return (
      allowed({ action, principal }) || (endpoint !== undefined && allowed({ action, principal, endpoint }))
    );
  }
}
