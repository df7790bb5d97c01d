import { Controller, Inject } from "@nestjs/common";
import { Ctx, Payload } from "@nestjs/microservices";
import { type EventOn, type Principal, sessionTools } from "@countersign/contracts";
import { type EventContext, OnEvent } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { CurrentBundle, type Held } from "./bundle/current-bundle.js";
import { extensionArguments, sessionArguments } from "./domain/approval-requests.js";
import { questionOf } from "./domain/question.js";
import type { Session } from "./domain/session.js";
import { lengthAwaited, settleApproval, type Verdict } from "./domain/settle-approval.js";
import { SessionStore } from "./session-store.js";

type Approval<T> = Extract<EventOn<"approval.events">, { type: T }>;

/**
 * Hears what became of sessions and extensions that wait for another person. Approvals of anything else are none of its
 * business.
 */
@Controller()
export class ApprovalsConsumer {
  constructor(
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(DataSource) private readonly dataSource: DataSource,
  ) {}

  @OnEvent("approval.events", "ApprovalGranted")
  granted(@Payload() event: Approval<"ApprovalGranted">, @Ctx() context: EventContext): Promise<void> {
    const { by, comment, requestDigest } = event.data;
    return this.#settle(event, { outcome: "granted", by, comment, requestDigest }, context);
  }

  @OnEvent("approval.events", "ApprovalDenied")
  denied(@Payload() event: Approval<"ApprovalDenied">, @Ctx() context: EventContext): Promise<void> {
    const { by, comment } = event.data;
    return this.#settle(event, { outcome: "denied", by, comment }, context);
  }

  @OnEvent("approval.events", "ApprovalExpired")
  expired(@Payload() event: Approval<"ApprovalExpired">, @Ctx() context: EventContext): Promise<void> {
    return this.#settle(event, { outcome: "expired" }, context);
  }

  @OnEvent("approval.events", "ApprovalWithdrawn")
  withdrawn(@Payload() event: Approval<"ApprovalWithdrawn">, @Ctx() context: EventContext): Promise<void> {
    return this.#settle(event, { outcome: "withdrawn" }, context);
  }

  async #settle(
    { id, data: { approvalId } }: { readonly id: string; readonly data: { readonly approvalId: string } },
    verdict: Verdict,
    { manager = this.dataSource.manager }: EventContext,
  ): Promise<void> {
    const request = await this.store.waitingFor(manager, approvalId);
    if (!request) return;
    const held = await this.current.read(manager);
    const { bundle, engine } = held;
    const endpoint = bundle.endpoints.find(({ name }) => name === request.endpoint);
    const activeSessions = await this.store.countActive(manager, request.principal.id, request.endpoint);
    await this.store.change(
      manager,
      request.sessionId,
      (session, now) => {
        const ground = {
          endpoint,
          // Both are asked again: policies, groups and the time of day may be others than when it was asked for.
          decision: engine.decide(questionOf(request, lengthAwaited(session, endpoint)), now),
          designated: verdict.outcome === "granted" && isDesignated(held, verdict.by, session, now),
          bundleVersion: bundle.version,
          activeSessions,
        };
        return settleApproval(session, approvalId, verdict, ground, now);
      },
      id,
    );
  }
}

/** Whether the policies that hold now let this person approve what the session waits for, as they saw it. */
function isDesignated({ engine }: Held, principal: Principal, session: Session, now: Date): boolean {
  const asked = askedOf(session);
  if (!asked) return false;
  const { endpoint, requester, tool, shown } = asked;
  return engine.decide({ action: "approve", principal, endpoint, tool, requester, arguments: shown }, now)
    .allowed;
}

function askedOf(session: Session) {
  if (session.status !== "waiting" && session.status !== "active") return undefined;
  const { endpoint, principal: requester, justification: openedFor } = session.request;
  if (session.status === "waiting") {
    const shown = sessionArguments(session.request, session.wait.durationSeconds);
    return { endpoint, requester, tool: sessionTools.session, shown };
  }
  const shown = session.extension && extensionArguments({ ...session, ...session.extension, openedFor });
  return shown && { endpoint, requester, tool: sessionTools.extension, shown };
}
