import { Inject, Injectable } from "@nestjs/common";
import type { EventOn } from "@countersign/contracts";
import { ApiError, EventLog } from "@countersign/service-kit";

/** Puts on the log what was asked of the vault, before anything is answered. */
@Injectable()
export class VaultLog {
  constructor(@Inject(EventLog) private readonly eventLog: EventLog) {}

  async append(event: EventOn<"masking.events">): Promise<void> {
    try {
      await this.eventLog.append({ topic: "masking.events", event });
    } catch (cause) {
      throw new ApiError(
        503,
        "evidence_unavailable",
        "What is asked of the vault is itself evidence, and that cannot be written now; try again later.",
        { cause },
      );
    }
  }
}
