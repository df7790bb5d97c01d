import { Controller } from "@nestjs/common";
import { Payload } from "@nestjs/microservices";
import type {
  EventMessage,
  PolicyBundle,
  SessionAwaitsApproval,
  SessionDenied,
  SessionExpired,
  SessionExtended,
  SessionGranted,
  SessionRevoked,
} from "@countersign/contracts";
import { OnEvent } from "@countersign/service-kit";
import { GrantTerms } from "../store/grant-terms.js";
import { EndpointsView } from "./endpoints.view.js";
import { SessionsView } from "./sessions.view.js";

/** Follows the session broker. */
@Controller()
export class ViewsConsumer {
  constructor(
    private readonly endpoints: EndpointsView,
    private readonly sessions: SessionsView,
    private readonly grants: GrantTerms,
  ) {}

  @OnEvent("policy.bundles", "PolicyBundlePublished")
  published(@Payload() { data }: EventMessage<"PolicyBundlePublished", PolicyBundle>): void {
    this.endpoints.apply(data);
  }

  @OnEvent("session.events", "SessionAwaitsApproval")
  awaits(@Payload() { data, time }: EventMessage<"SessionAwaitsApproval", SessionAwaitsApproval>): void {
    const { sessionId, principal, endpoint, waitsUntil } = data;
    this.sessions.apply(
      sessionId,
      { status: "waiting", principalId: principal.id, endpoint, waitsUntil: new Date(waitsUntil) },
      new Date(time),
    );
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

  /** What the session has given out lasts as long as the session does now. Doing it again changes nothing. */
  @OnEvent("session.events", "SessionExtended")
  async extended(@Payload() { data, time }: EventMessage<"SessionExtended", SessionExtended>): Promise<void> {
    const expiresAt = new Date(data.expiresAt);
    this.sessions.extend(data.sessionId, expiresAt, new Date(time));
    await this.grants.extend(data.sessionId, expiresAt);
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
