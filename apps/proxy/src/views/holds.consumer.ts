import { Controller } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type {
  EventMessage,
  HeldCallCancelled,
  HoldEnded,
  HoldLeft,
  HoldOpened,
  HoldTaken,
} from "@countersign/contracts";
import { Clock, OnEvent } from "@countersign/service-kit";
import { Holds } from "../holds.js";
import { Waiting } from "../waiting.js";

/** What the proxies tell each other about calls that wait for an approval. */
@Controller()
export class HoldsConsumer {
  constructor(
    private readonly holds: Holds,
    private readonly waiting: Waiting,
    private readonly clock: Clock,
  ) {}

  @OnEvent("mcp.holds", "HoldOpened")
  opened(@Payload() { data }: EventMessage<"HoldOpened", HoldOpened>): void {
    this.holds.opened(data, this.clock.now());
  }

  @OnEvent("mcp.holds", "HoldLeft")
  left(@Payload() { data }: EventMessage<"HoldLeft", HoldLeft>): void {
    this.holds.left(data);
  }

  @OnEvent("mcp.holds", "HoldTaken")
  taken(@Payload() { data }: EventMessage<"HoldTaken", HoldTaken>): void {
    this.holds.taken(data);
  }

  @OnEvent("mcp.holds", "HoldEnded")
  ended(@Payload() { data }: EventMessage<"HoldEnded", HoldEnded>): void {
    this.holds.drop(data.approvalId);
  }

  @OnEvent("mcp.holds", "HeldCallCancelled")
  cancelled(@Payload() { data }: EventMessage<"HeldCallCancelled", HeldCallCancelled>): void {
    this.waiting.cancel(data);
  }
}
