import { Inject, Injectable } from "@nestjs/common";
import type { Principal } from "@countersign/contracts";
import { ApiError, Clock } from "@countersign/service-kit";
import { CurrentBundle } from "./bundle/current-bundle.js";

/** Who may look after sessions and policies, by the policies themselves. */
@Injectable()
export class Permissions {
  constructor(
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  async isAdministrator(principal: Principal): Promise<boolean> {
    const { engine } = await this.current.read();
    return engine.decide({ action: "administer", principal }, this.clock.now()).allowed;
  }

  async requireAdministrator(principal: Principal): Promise<void> {
    if (!(await this.isAdministrator(principal)))
      throw new ApiError(403, "forbidden", "Only administrators may do this; ask one of them.");
  }
}
