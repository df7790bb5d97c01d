import { Controller, Inject } from "@nestjs/common";
import { Ctx, Payload } from "@nestjs/microservices";
import type { EventOn } from "@countersign/contracts";
import { type EventContext, OnEvent } from "@countersign/service-kit";
import { RevealRequests } from "./reveal-requests.js";
import { transactionOf } from "./transaction-of.js";

type Approval<T> = Extract<EventOn<"approval.events">, { type: T }>;

/** Hears what became of reveals that wait for a second person. Approvals of calls are none of its business. */
@Controller()
export class ApprovalsConsumer {
  constructor(@Inject(RevealRequests) private readonly requests: RevealRequests) {}

  @OnEvent("approval.events", "ApprovalGranted")
  granted(@Payload() { data }: Approval<"ApprovalGranted">, @Ctx() context: EventContext): Promise<void> {
    return this.requests.granted(transactionOf(context), data);
  }

  @OnEvent("approval.events", "ApprovalDenied")
  denied(@Payload() { data }: Approval<"ApprovalDenied">, @Ctx() context: EventContext): Promise<void> {
    return this.requests.settled(transactionOf(context), data.approvalId, "denied");
  }

  @OnEvent("approval.events", "ApprovalExpired")
  expired(@Payload() { data }: Approval<"ApprovalExpired">, @Ctx() context: EventContext): Promise<void> {
    return this.requests.settled(transactionOf(context), data.approvalId, "expired");
  }

  @OnEvent("approval.events", "ApprovalWithdrawn")
  withdrawn(@Payload() { data }: Approval<"ApprovalWithdrawn">, @Ctx() context: EventContext): Promise<void> {
    return this.requests.settled(transactionOf(context), data.approvalId, "withdrawn");
  }
}
