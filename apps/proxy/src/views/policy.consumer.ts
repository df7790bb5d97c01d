import { Controller } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type { EventMessage, PolicyBundle } from "@countersign/contracts";
import { OnEvent } from "@countersign/service-kit";
import { PolicyView } from "./policy.view.js";

@Controller()
export class PolicyConsumer {
  constructor(private readonly policy: PolicyView) {}

  @OnEvent("policy.bundles", "PolicyBundlePublished")
  published(@Payload() event: EventMessage<"PolicyBundlePublished", PolicyBundle>): void {
    this.policy.apply(event.data);
  }
}
