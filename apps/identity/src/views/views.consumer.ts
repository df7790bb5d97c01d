import { Controller } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type {
  EventMessage,
  PolicyBundle,
  SessionDenied,
  SessionExpired,
  SessionGranted,
  SessionRevoked,
} from "@countersign/contracts";
import { OnEvent } from "@countersign/service-kit";
import { EndpointsView } from "./endpoints.view.js";
import { SessionsView } from "./sessions.view.js";

/** Follows the session broker. */
@Controller()
export class ViewsConsumer {
  constructor(
    private readonly endpoints: EndpointsView,
    private readonly sessions: SessionsView,
  ) {}

  @OnEvent("policy.bundles", "PolicyBundlePublished")
  published(@Payload() { data }: EventMessage<"PolicyBundlePublished", PolicyBundle>): void {
    this.endpoints.apply(data);
  }

  @OnEvent("session.events", "SessionGranted")
  granted(@Payload() { data, time }: EventMessage<"SessionGranted", SessionGranted>): void {
    const { sessionId, principal, endpoint, expiresAt } = data;
    this.sessions.apply(
      sessionId,
      { status: "active", principalId: principal.id, endpoint, expiresAt: new Date(expiresAt) },
      new Date(time),
    );
  }

  @OnEvent("session.events", "SessionDenied")
  denied(@Payload() { data, time }: EventMessage<"SessionDenied", SessionDenied>): void {
    this.sessions.apply(data.sessionId, { status: "denied", reason: data.reason }, new Date(time));
  }

  @OnEvent("session.events", "SessionRevoked")
  revoked(@Payload() { data, time }: EventMessage<"SessionRevoked", SessionRevoked>): void {
    this.sessions.apply(data.sessionId, { status: "ended" }, new Date(time));
  }

  @OnEvent("session.events", "SessionExpired")
  expired(@Payload() { data, time }: EventMessage<"SessionExpired", SessionExpired>): void {
    this.sessions.apply(data.sessionId, { status: "ended" }, new Date(time));
  }
}
