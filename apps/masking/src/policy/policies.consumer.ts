import { Controller, Inject } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type { EventOn } from "@countersign/contracts";
import { OnEvent } from "@countersign/service-kit";
import { PolicyPublisher } from "./policy.publisher.js";
import { PolicyView } from "./policy.view.js";

type Published<T> = Extract<EventOn<"masking.policies">, { type: T }>;

@Controller()
export class PoliciesConsumer {
  constructor(
    @Inject(PolicyView) private readonly policy: PolicyView,
    @Inject(PolicyPublisher) private readonly publisher: PolicyPublisher,
  ) {}

  @OnEvent("policy.bundles", "PolicyBundlePublished")
  bundle(@Payload() { data }: EventOn<"policy.bundles">): void {
    this.policy.take(data);
  }

  @OnEvent("masking.policies", "CardDataPolicyPublished")
  cardData(@Payload() { data }: Published<"CardDataPolicyPublished">): void {
    this.publisher.seen({ policyVersion: data.policy.version });
  }

  @OnEvent("masking.policies", "VaultKeyPublished")
  vaultKey(@Payload() { data }: Published<"VaultKeyPublished">): void {
    this.publisher.seen({ vaultKeyId: data.keyId, publicKey: data.publicKey });
  }
}
