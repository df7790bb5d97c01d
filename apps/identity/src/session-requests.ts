import { Injectable } from "@nestjs/common";
import type { RequestSession, RevocationCause, RevokeSession } from "@countersign/contracts";
import { Clock, EventLog } from "@countersign/service-kit";
import { type SessionState, SessionsView } from "./views/sessions.view.js";

/** How long a page or a workload waits for the session broker to decide. */
export const decisionMsMax = 10_000;

/** Asks the session broker for sessions. */
@Injectable()
export class SessionRequests {
  readonly #underWay = new Map<string, Promise<SessionState | undefined>>();

  constructor(
    private readonly eventLog: EventLog,
    private readonly sessions: SessionsView,
    private readonly clock: Clock,
  ) {}

  /**
   * What the broker decided; undefined where it did not in time. Asking again with the same session id asks for the
   * same session, so a form that is sent twice opens one.
   */
  ask(request: RequestSession): Promise<SessionState | undefined> {
    const { sessionId } = request;
    const known = this.sessions.find(sessionId);
    if (known) return Promise.resolve(known);
    const underWay = this.#underWay.get(sessionId) ?? this.#ask(request);
    this.#underWay.set(sessionId, underWay);
    return underWay;
  }

  async #ask(request: RequestSession): Promise<SessionState | undefined> {
    const { sessionId } = request;
    try {
      await this.#send(sessionId, { type: "RequestSession", data: request });
      return await this.sessions.waitFor(sessionId, decisionMsMax);
    } finally {
      this.#underWay.delete(sessionId);
    }
  }

  /** Asks that a session end before its time. */
  async revoke(sessionId: string, reason: string, cause: RevocationCause): Promise<void> {
    await this.#send(sessionId, {
      type: "RevokeSession",
      data: { sessionId, by: { id: "countersign:identity", name: "Countersign identity" }, reason, cause },
    });
  }

  async #send(
    sessionId: string,
    command:
      | { type: "RequestSession"; data: RequestSession }
      | { type: "RevokeSession"; data: RevokeSession },
  ): Promise<void> {
    await this.eventLog.append({
      topic: "session.commands",
      event: {
        id: this.clock.newId(),
        source: "identity",
        subject: sessionId,
        time: this.clock.now().toISOString(),
        ...command,
      },
    });
  }
}
