import { Controller, Inject } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type { EventOn } from "@countersign/contracts";
import { OnEvent } from "@countersign/service-kit";
import { PolicyView } from "./policy.view.js";

@Controller()
export class PolicyConsumer {
  constructor(@Inject(PolicyView) private readonly policy: PolicyView) {}

  @OnEvent("policy.bundles", "PolicyBundlePublished")
  published(@Payload() { data }: EventOn<"policy.bundles">): void {
    this.policy.take(data);
  }
}
