import { Controller } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type { CardDataPolicyPublished, EventMessage, VaultKeyPublished } from "@countersign/contracts";
import { OnEvent } from "@countersign/service-kit";
import { CardDataView } from "./card-data.view.js";

@Controller()
export class CardDataConsumer {
  constructor(private readonly view: CardDataView) {}

  @OnEvent("masking.policies", "CardDataPolicyPublished")
  policy(@Payload() event: EventMessage<"CardDataPolicyPublished", CardDataPolicyPublished>): void {
    this.view.applyPolicy(event.data);
  }

  @OnEvent("masking.policies", "VaultKeyPublished")
  vaultKey(@Payload() event: EventMessage<"VaultKeyPublished", VaultKeyPublished>): void {
    this.view.applyVaultKey(event.data);
  }
}
