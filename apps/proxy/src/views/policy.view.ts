import type { Endpoint, PolicyBundle } from "@countersign/contracts";
import { PolicyEngine } from "@countersign/policy";

/** The endpoints and policies that hold now, from `policy.bundles`. */
export class PolicyView {
  #engine: PolicyEngine | undefined;
  #endpoints: ReadonlyMap<string, Endpoint> = new Map();

  apply(bundle: PolicyBundle): void {
    if (bundle.version === this.#engine?.version) return;
    this.#engine = new PolicyEngine(bundle);
    this.#endpoints = new Map(bundle.endpoints.map((endpoint) => [endpoint.name, endpoint]));
  }

  /** Undefined until the first bundle arrived: deny by default. */
  get engine(): PolicyEngine | undefined {
    return this.#engine;
  }

  endpoint(name: string): Endpoint | undefined {
    return this.#endpoints.get(name);
  }
}
