import type { Endpoint, PolicyBundle } from "@countersign/contracts";

/** The endpoints that are published now, as the session broker last said. */
export class EndpointsView {
  #endpoints: readonly Endpoint[] = [];

  apply(bundle: PolicyBundle): void {
    this.#endpoints = bundle.endpoints;
  }

  all(): readonly Endpoint[] {
    return this.#endpoints;
  }
}
