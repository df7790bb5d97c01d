import { Controller } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type { ApprovalDenied, ApprovalExpired, ApprovalGranted, EventMessage } from "@countersign/contracts";
import { OnEvent } from "@countersign/service-kit";
import { Holds } from "../holds.js";

@Controller()
export class ApprovalConsumer {
  constructor(private readonly holds: Holds) {}

  @OnEvent("approval.events", "ApprovalGranted")
  granted(@Payload() { data }: EventMessage<"ApprovalGranted", ApprovalGranted>): void {
    this.holds.decide(data.approvalId, {
      verdict: "granted",
      requestDigest: data.requestDigest,
      by: data.by.id,
      byName: data.by.name ?? data.by.id,
    });
  }

  @OnEvent("approval.events", "ApprovalDenied")
  denied(@Payload() { data }: EventMessage<"ApprovalDenied", ApprovalDenied>): void {
    const comment = data.comment === undefined ? {} : { comment: data.comment };
    this.holds.decide(data.approvalId, { verdict: "denied", byName: data.by.name ?? data.by.id, ...comment });
  }

  @OnEvent("approval.events", "ApprovalExpired")
  expired(@Payload() { data }: EventMessage<"ApprovalExpired", ApprovalExpired>): void {
    this.holds.decide(data.approvalId, { verdict: "expired" });
  }
}
