import type { Client, Endpoint, PolicyBundle, Principal } from "@countersign/contracts";
import { PolicyBundleRefused, PolicyEngine } from "@countersign/policy";
import { type PermittedTools, permittedTools } from "../domain/permitted-tools.js";

/** The endpoints that are published now, as the session broker last said, and what policies say of them. */
export class EndpointsView {
  #bundle: PolicyBundle | undefined;
  #engine: PolicyEngine | undefined;

  apply(bundle: PolicyBundle): void {
    this.#bundle = bundle;
    this.#engine = engineOf(bundle);
  }

  all(): readonly Endpoint[] {
    return this.#bundle?.endpoints ?? [];
  }

  /** What a session on an endpoint would be for. It is only told here; the broker and the proxy decide. */
  toolsFor(endpoint: string, principal: Principal, client: Client, now: Date): PermittedTools {
    const [bundle, engine] = [this.#bundle, this.#engine];
    if (!bundle || !engine) return { alone: [], afterApproval: [] };
    const couldAllow = (request: Parameters<PolicyEngine["couldAllow"]>[0]) =>
      engine.couldAllow(request, now);
    return permittedTools({ couldAllow, policies: bundle.policies, endpoint, principal, client });
  }
}

/** A bundle that cannot be decided with permits nothing anywhere; people are still told why by the broker. */
function engineOf(bundle: PolicyBundle): PolicyEngine | undefined {
  try {
    return new PolicyEngine(bundle);
  } catch (error) {
    if (error instanceof PolicyBundleRefused) return undefined;
    throw error;
  }
}
