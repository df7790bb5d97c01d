import { Inject, Injectable } from "@nestjs/common";
import { dayOf, scanText } from "@countersign/card-data";
import { Clock } from "@countersign/service-kit";
import { CardDataPolicyInForce } from "./card-data-policy.js";

/** People paste. What they write is recorded, so no card number may be left in it. */
@Injectable()
export class PersonsWords {
  constructor(
    @Inject(CardDataPolicyInForce) private readonly cardData: CardDataPolicyInForce,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  masked(text: string): string {
    const today = dayOf(this.clock.now());
    return scanText(text, { policy: this.cardData.policy, today }).masked;
  }
}
