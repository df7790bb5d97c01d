import { Inject, Injectable } from "@nestjs/common";
import type { EvidenceRead, Principal } from "@countersign/contracts";
import { ApiError, Clock, EventLog } from "@countersign/service-kit";
import { PolicyView } from "./policy.view.js";

export type ReadAction = EvidenceRead["action"];

/**
 * The door to the evidence. Whoever reads it, or tries to, is on the log before an answer is given
 * (PCI DSS 10.2.1.3, 10.2.1.4): when that cannot be written, nothing is shown.
 */
@Injectable()
export class EvidenceAccess {
  constructor(
    @Inject(PolicyView) private readonly policy: PolicyView,
    @Inject(EventLog) private readonly eventLog: EventLog,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Throws 403 unless policy lets the caller search the log, or the endpoint that the question is about. */
  async permit(caller: Principal, action: ReadAction, endpoint?: string): Promise<void> {
    if (this.policy.maySearch(caller, endpoint)) return;
    await this.refused(action, "forbidden_by_policy", caller);
    throw new ApiError(
      403,
      "forbidden_by_policy",
      "No policy lets you search this evidence; ask an administrator for the action `search`.",
    );
  }

  /** Resolves once it is durable who is about to see how much of what. */
  async reads(caller: Principal, action: ReadAction, query: object, results: number): Promise<void> {
    await this.#append({
      ...this.#envelope(caller.id),
      type: "EvidenceRead",
      data: { by: caller, action, query: JSON.stringify(query), results },
    });
  }

  async refused(action: string, reason: string, caller?: Principal): Promise<void> {
    await this.#append({
      ...this.#envelope(caller?.id ?? "anonymous"),
      type: "EvidenceRefused",
      data: { ...(caller ? { by: caller } : {}), action, reason },
    });
  }

  #envelope(subject: string) {
    return {
      id: this.clock.newId(),
      source: "audit" as const,
      subject,
      time: this.clock.now().toISOString(),
    };
  }

  async #append(event: AccessEvent): Promise<void> {
    try {
      await this.eventLog.append({ topic: "audit.access", event });
    } catch (cause) {
      throw new ApiError(
        503,
        "evidence_unavailable",
        "Reading evidence is itself evidence, and that cannot be written now; try again later.",
        { cause },
      );
    }
  }
}

type AccessEvent = Extract<Parameters<EventLog["append"]>[number], { topic: "audit.access" }>["event"];
