import { Controller, Inject } from "@nestjs/common";
import { Ctx, Payload } from "@nestjs/microservices";
import type { EventMessage, RequestSession, RevokeSession } from "@countersign/contracts";
import { Clock, type EventContext, LOG, type Logger, OnEvent } from "@countersign/service-kit";
import { DataSource, type EntityManager } from "typeorm";
import { CurrentBundle } from "./bundle/current-bundle.js";
import { revokeSession } from "./domain/end-session.js";
import { durationOf, shorterThan } from "./domain/duration.js";
import { type Judgement, requestSession } from "./domain/request-session.js";
import { questionOf } from "./domain/question.js";
import { SessionStore } from "./session-store.js";

/** Takes up the commands on `session.commands`, each in the transaction that also moves past it. */
@Controller()
export class SessionsConsumer {
  constructor(
    @Inject(SessionStore) private readonly store: SessionStore,
    @Inject(CurrentBundle) private readonly current: CurrentBundle,
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  @OnEvent("session.commands", "RequestSession")
  async request(
    @Payload() { id, data }: EventMessage<"RequestSession", RequestSession>,
    @Ctx() context: EventContext,
  ): Promise<void> {
    const manager = this.#managerOf(context);
    const { bundle, engine } = await this.current.read(manager);
    const endpoint = bundle.endpoints.find(({ name }) => name === data.endpoint);
    const activeSessions = await this.store.countActive(manager, data.principal.id, data.endpoint);
    const waitingSessions = await this.store.countWaiting(manager, data.principal.id);
    await this.store.change(
      manager,
      data.sessionId,
      (session, now) => {
        const judge = (seconds: number | undefined): Judgement => ({
          decision: engine.decide(questionOf(data, seconds), now),
          unattended: engine.decide(questionOf(data, seconds, "openSessionUnattended"), now),
        });
        const judgement = judge(endpoint && durationOf(data.durationSeconds, endpoint));
        const begins = judgement.decision.allowed && judgement.unattended.allowed;
        const ground = {
          endpoint,
          ...judgement,
          shorter: begins || !endpoint ? [] : shorterThan(data.durationSeconds, endpoint).map(judge),
          bundleVersion: bundle.version,
          activeSessions,
          waitingSessions,
          approvalId: this.clock.newId(),
        };
        return requestSession(session, data, ground, now);
      },
      id,
    );
  }

  @OnEvent("session.commands", "RevokeSession")
  async revoke(
    @Payload() { id, data }: EventMessage<"RevokeSession", RevokeSession>,
    @Ctx() context: EventContext,
  ): Promise<void> {
    const { events, session } = await this.store.change(
      this.#managerOf(context),
      data.sessionId,
      (session) => revokeSession(session, data),
      id,
    );
    if (events.length === 0)
      this.log.warn(
        { sessionId: data.sessionId, status: session.status },
        "nothing to revoke: the session is over, or never was",
      );
  }

  #managerOf({ manager }: EventContext): EntityManager {
    return manager ?? this.dataSource.manager;
  }
}
