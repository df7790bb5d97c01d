import { type Endpoint, type RequestSession, sessionWaitSecondsMax } from "@countersign/contracts";
import { type Lacking, lackingIn, type PolicyDecision } from "@countersign/policy";
import { sessionDigest } from "./approval-requests.js";
import { durationOf } from "./duration.js";
import type { Session, SessionEvent } from "./session.js";

/** How many requests of one principal may wait for an approval at the same time. */
export const waitingMax = 5;

/** What a request is decided on: the endpoint as configured, if there is one, and the answers of the policies. */
export interface Ground {
  readonly endpoint: Endpoint | undefined;
  readonly decision: PolicyDecision;
  readonly bundleVersion: string;
  /** How many sessions the principal has on this endpoint already. */
  readonly activeSessions: number;
}

/** What the policies say of a session of one length. */
export interface Judgement {
  readonly decision: PolicyDecision;
  /** Whether it may begin without another person. */
  readonly unattended: PolicyDecision;
}

/** What a request that has just come is decided on. */
export interface FirstGround extends Ground, Judgement {
  /** What they say of shorter ones, where they do not let this one begin at once. */
  readonly shorter: readonly Judgement[];
  /** How many requests of the principal wait for an approval already. */
  readonly waitingSessions: number;
  /** The id that an approval would have. */
  readonly approvalId: string;
}

/**
 * Takes up a request and grants it, denies it, or has it wait for an approval. A request for a session that is known
 * already is a repetition and changes nothing. Nobody gets longer than the endpoint allows.
 */
export const requestSession = (
  session: Session,
  request: RequestSession,
  ground: FirstGround,
  now: Date,
): SessionEvent[] => {
  if (session.status !== "unknown") return [];
  const { endpoint, unattended, decision, bundleVersion } = ground;
  const requested: SessionEvent = { type: "SessionRequested", data: request };
  const reason = reasonNotToTakeUp(request, ground, now);
  if (reason !== undefined || !endpoint) {
    const couldBeShorter = ground.shorter.some(
      (judgement) => reasonNotToTakeUp(request, { ...ground, ...judgement }, now) === undefined,
    );
    return [requested, deniedOf(request, ground, `${reason ?? ""}${couldBeShorter ? shorterWords : ""}`)];
  }
  if (unattended.allowed) return [requested, grantedOf(request, endpoint, ground, now)];
  const { approvalId } = ground;
  const durationSeconds = durationOf(request.durationSeconds, endpoint);
  const waitMs = Math.min(endpoint.approval.expirySeconds, sessionWaitSecondsMax) * 1_000;
  const data = {
    ...request,
    approvalId,
    requestDigest: sessionDigest(approvalId, request, durationSeconds),
    waitsUntil: new Date(now.getTime() + waitMs).toISOString(),
    durationSeconds,
    policies: [...decision.policies, ...unattended.policies],
    bundleVersion,
  };
  return [requested, { type: "SessionAwaitsApproval", data }];
};

export const deniedOf = (
  { sessionId, principal, endpoint }: RequestSession,
  { decision, bundleVersion }: Pick<Ground, "decision" | "bundleVersion">,
  reason: string,
): Extract<SessionEvent, { type: "SessionDenied" }> => ({
  type: "SessionDenied",
  data: {
    sessionId,
    principalId: principal.id,
    endpoint,
    reason,
    policies: [...decision.policies],
    bundleVersion,
  },
});

export const grantedOf = (
  request: RequestSession,
  endpoint: Endpoint,
  { decision, bundleVersion }: Pick<Ground, "decision" | "bundleVersion">,
  now: Date,
): Extract<SessionEvent, { type: "SessionGranted" }> => ({
  type: "SessionGranted",
  data: {
    ...request,
    grantedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + durationOf(request.durationSeconds, endpoint) * 1_000).toISOString(),
    idleSeconds: endpoint.session.idleSeconds,
    policies: [...decision.policies],
    bundleVersion,
  },
});

const shorterWords = " A shorter session may be possible; ask for less time.";

/** Undefined where the session begins, or waits for another person. */
const reasonNotToTakeUp = (request: RequestSession, ground: FirstGround, now: Date): string | undefined =>
  reasonToDeny(request, ground, now) ??
  (ground.unattended.allowed ? undefined : reasonNotToWait(request, ground));

/** Shown to the person who asked. A login that was recent enough when it was asked for does not grow old by waiting. */
export const reasonToDeny = (
  request: RequestSession,
  { endpoint, decision, activeSessions }: Ground,
  loginAsOf: Date,
): string | undefined => {
  if (!endpoint) return `There is no endpoint called "${request.endpoint}"; check the address.`;
  if (decision.errors.length > 0)
    return "The policies could not be evaluated, so nothing is allowed; tell an administrator.";
  if (!decision.allowed)
    return decision.policies.length > 0
      ? `A policy forbids it: ${decision.policies.join(", ")}.`
      : "No policy permits it; ask an administrator whether one should.";
  const { justificationPattern: pattern, sessionsPerPrincipalMax: sessionsMax } = endpoint.session;
  const { justificationHint: hint } = endpoint.session;
  const lacking = lackingIn(request, endpoint, loginAsOf);
  if (lacking !== undefined) return lackingWords[lacking];
  if (sessionsMax !== undefined && activeSessions >= sessionsMax)
    return `There are ${activeSessions} sessions here in this name already, and ${sessionsMax} may be; end one of them first.`;
  if (request.justification.trim() === "") return "A justification is needed; say what the session is for.";
  if (pattern !== undefined && !new RegExp(pattern, "u").test(request.justification))
    return hint === undefined
      ? `The justification has to contain ${pattern}; name the ticket or the incident.`
      : `The justification is not what is asked for. ${hint}`;
  return undefined;
};

const reasonNotToWait = (
  { canWait }: RequestSession,
  { waitingSessions }: FirstGround,
): string | undefined => {
  if (canWait !== true)
    return "Another person has to approve this session, and nobody can wait for that here; ask for it with a browser.";
  if (waitingSessions >= waitingMax)
    return `${waitingSessions} of your requests wait for an approval already; cancel one of them, or wait.`;
  return undefined;
};

const lackingWords: Readonly<Record<Lacking, string>> = {
  factors:
    "This endpoint asks for more than one factor, and your identity provider did not say that you used one.",
  time: "This endpoint asks for a recent login, and your identity provider did not say when yours was.",
  recency: "Your login is too long ago for this endpoint; log in again.",
};
