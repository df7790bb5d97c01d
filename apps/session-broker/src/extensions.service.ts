import { Inject, Injectable } from "@nestjs/common";
import type { ExtendRequest, Principal, SessionView } from "@countersign/contracts";
import { ApiError, Clock, Outbox } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { CurrentBundle } from "./bundle/current-bundle.js";
import { extensionExhausted, type ExtensionProblem, extendSession } from "./domain/extend-session.js";
import { questionOf } from "./domain/question.js";
import { viewOf } from "./session-row.js";
import { SessionStore } from "./session-store.js";
import { unknownSession } from "./sessions.service.js";

/** More time for sessions, as their owners ask for it. */
@Injectable()
export class Extensions {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** The session, whose extension now waits for another person. */
  async ask(caller: Principal, sessionId: string, asked: ExtendRequest): Promise<SessionView> {
    const { session, events } = await this.dataSource.transaction(async (manager) => {
      const { bundle, engine } = await this.current.read(manager);
      return this.store.change(manager, sessionId, (session, now) => {
        if (session.status === "unknown" || session.request.principal.id !== caller.id)
          throw unknownSession();
        const { request } = session;
        const ground = {
          endpoint: bundle.endpoints.find(({ name }) => name === request.endpoint),
          judge: (durationSeconds: number) => engine.decide(questionOf(request, durationSeconds), now),
          approvalId: this.clock.newId(),
        };
        const answer = extendSession(session, asked, ground, now);
        if ("problem" in answer) throw refusalOf(answer.problem);
        return answer.events;
      });
    });
    this.outbox.wake();
    // Nothing was asked for, but that it was refused had to be kept first.
    if (events.some(({ type }) => type === "SessionExtensionRefused")) throw refusalOf(extensionExhausted);
    if (session.status === "unknown") throw unknownSession();
    return viewOf(session);
  }
}

const statuses: Readonly<Record<ExtensionProblem["code"], number>> = {
  session_ended: 409,
  extension_pending: 409,
  extension_exhausted: 409,
  forbidden_by_policy: 403,
  extension_too_long: 422,
  justification_refused: 422,
};

const refusalOf = ({ code, message }: ExtensionProblem): ApiError =>
  new ApiError(statuses[code], code, message);
