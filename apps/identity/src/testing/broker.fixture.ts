import type { INestApplication } from "@nestjs/common";
import {
  type EventMessage,
  requestSession,
  type RequestSession,
  type RevokeSession,
} from "@countersign/contracts";
import { Clock, decodeEvent, encodeEvent, EventLog } from "@countersign/service-kit";
import { vi } from "vitest";
import { SessionsView } from "../views/sessions.view.js";

type Decision = { granted: { seconds: number } } | { denied: string } | { waits: { seconds: number } };
type Decide = (request: RequestSession) => Decision | "silence";

/** Says something on `session.events`. */
type Say = (event: EventMessage) => Promise<void>;

/** For what is said on Kafka to arrive. */
const heardWithin = { timeout: 20_000, interval: 10 };

/** A session broker of the test's own, which says what the test wants. */
export class TestBroker {
  /** What was asked of it. */
  readonly requests: RequestSession[] = [];
  readonly revocations: RevokeSession[] = [];
  /** What it answers from now on. */
  decide: Decide = () => ({ granted: { seconds: 1_800 } });

  readonly #sessions: SessionsView;
  readonly #send: Say;

  /** `onFact` hears of everything that the service witnesses. */
  constructor(app: INestApplication, send: Say, onFact: (event: EventMessage) => void) {
    this.#sessions = app.get(SessionsView);
    this.#send = send;
    tapCommands(app.get(EventLog), {
      command: async (event) => {
        if (event.type === "RevokeSession") this.revocations.push(event.data as RevokeSession);
        else await this.#answer(requestSession.data.parse(event.data));
      },
      fact: onFact,
    });
  }

  /** Decides in the end about a session that waits. */
  async settle(request: RequestSession, decision: Decision): Promise<void> {
    const { sessionId, principal, endpoint } = request;
    if ("waits" in decision)
      return this.#say("SessionAwaitsApproval", sessionId, {
        ...request,
        approvalId: sessionId,
        requestDigest: "0".repeat(64),
        waitsUntil: new Date(Date.now() + decision.waits.seconds * 1_000).toISOString(),
        durationSeconds: 1_800,
        policies: [],
        bundleVersion: "1",
      });
    if ("denied" in decision)
      return this.#say("SessionDenied", sessionId, {
        sessionId,
        principalId: principal.id,
        endpoint,
        reason: decision.denied,
        policies: [],
        bundleVersion: "1",
      });
    await this.#say("SessionGranted", sessionId, {
      ...request,
      grantedAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + decision.granted.seconds * 1_000).toISOString(),
      idleSeconds: 900,
      policies: [],
      bundleVersion: "1",
    });
  }

  /** Gives a session more time. */
  async extend({ sessionId, principal, endpoint }: RequestSession, expiresAt: Date): Promise<void> {
    await this.#say("SessionExtended", sessionId, {
      sessionId,
      principalId: principal.id,
      endpoint,
      approvalId: sessionId,
      durationSeconds: 60,
      justification: "more",
      approvedBy: { id: "lead" },
      expiresAt: expiresAt.toISOString(),
      policies: [],
      bundleVersion: "1",
    });
    const ends = () => {
      const state = this.#sessions.find(sessionId);
      return state?.status === "active" ? state.expiresAt.getTime() : 0;
    };
    await vi.waitUntil(() => ends() === expiresAt.getTime(), heardWithin);
  }

  /** Ends a session as an administrator would. */
  async revoke({ sessionId, principal, endpoint }: RequestSession): Promise<void> {
    await this.#say("SessionRevoked", sessionId, {
      sessionId,
      principalId: principal.id,
      endpoint,
      by: { id: "admin" },
      reason: "enough",
    });
    await vi.waitUntil(() => this.#sessions.find(sessionId)?.status !== "active", heardWithin);
  }

  async #answer(request: RequestSession): Promise<void> {
    this.requests.push(request);
    const decision = this.decide(request);
    if (decision !== "silence") await this.settle(request, decision);
  }

  #say(type: string, subject: string, data: unknown): Promise<void> {
    const time = new Date().toISOString();
    return this.#send({ id: new Clock().newId(), type, source: "session-broker", subject, time, data });
  }
}

/**
 * Hands commands to the test's broker instead of to Kafka, where the specs of the real broker would answer them too.
 * Everything else goes to Kafka, and is seen here once it is durable.
 */
function tapCommands(
  eventLog: EventLog,
  tap: { command: (event: EventMessage) => Promise<void>; fact: (event: EventMessage) => void },
): void {
  const append = eventLog.append.bind(eventLog);
  eventLog.append = async (...entries) => {
    const [entry] = entries;
    if (entry?.topic !== "session.commands") {
      const positions = await append(...entries);
      for (const { event } of entries) tap.fact(event);
      return positions;
    }
    const { headers, value } = encodeEvent(entry.event);
    const { event } = decodeEvent(entry.topic, headers, Buffer.from(String(value)));
    if (!event) throw new Error("a command does not fit its contract");
    void tap.command(event);
    return [{ topic: entry.topic, partition: 0 }];
  };
}
