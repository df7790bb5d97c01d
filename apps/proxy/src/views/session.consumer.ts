import { Controller } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type {
  EventMessage,
  SessionExpired,
  SessionExtended,
  SessionGranted,
  SessionRevoked,
} from "@countersign/contracts";
import { Clock, OnEvent } from "@countersign/service-kit";
import { SessionView } from "./session.view.js";

@Controller()
export class SessionConsumer {
  constructor(
    private readonly sessions: SessionView,
    private readonly clock: Clock,
  ) {}

  @OnEvent("session.events", "SessionGranted")
  granted(@Payload() event: EventMessage<"SessionGranted", SessionGranted>): void {
    this.sessions.grant(event.data, this.clock.now());
  }

  @OnEvent("session.events", "SessionExtended")
  extended(@Payload() { data }: EventMessage<"SessionExtended", SessionExtended>): void {
    this.sessions.extend(data.sessionId, data.expiresAt, this.clock.now());
  }

  @OnEvent("session.events", "SessionRevoked")
  revoked(@Payload() event: EventMessage<"SessionRevoked", SessionRevoked>): void {
    this.sessions.end(event.data.sessionId, "it was revoked");
  }

  @OnEvent("session.events", "SessionExpired")
  expired(@Payload() event: EventMessage<"SessionExpired", SessionExpired>): void {
    this.sessions.end(
      event.data.sessionId,
      event.data.cause === "idle" ? "it was idle too long" : "its time is over",
    );
  }
}
