import type { Endpoint, RequestSession } from "@countersign/contracts";
import type { PolicyDecision } from "@countersign/policy";
import { loginProblem } from "./login-strength.js";
import type { Session, SessionEvent } from "./session.js";

/** What a request is decided on: the endpoint as configured, if there is one, and the answer of the policies. */
export interface Ground {
  readonly endpoint: Endpoint | undefined;
  readonly decision: PolicyDecision;
  readonly bundleVersion: string;
  /** How many sessions the principal has on this endpoint already. */
  readonly activeSessions: number;
}

/**
 * Takes up a request and grants or denies it. A request for a session that is known already is a repetition and
 * changes nothing. Nobody gets longer than the endpoint allows.
 */
export const requestSession = (
  session: Session,
  request: RequestSession,
  ground: Ground,
  now: Date,
): SessionEvent[] => {
  if (session.status !== "unknown") return [];
  const { endpoint, decision, bundleVersion } = ground;
  const requested: SessionEvent = { type: "SessionRequested", data: request };
  const reason = reasonToDeny(request, ground, now);
  if (reason !== undefined || !endpoint) {
    const data = {
      sessionId: request.sessionId,
      principalId: request.principal.id,
      endpoint: request.endpoint,
      reason: reason ?? "",
      policies: [...decision.policies],
      bundleVersion,
    };
    return [requested, { type: "SessionDenied", data }];
  }
  const { durationSecondsDefault, durationSecondsMax, idleSeconds } = endpoint.session;
  const durationSeconds = Math.min(request.durationSeconds ?? durationSecondsDefault, durationSecondsMax);
  const data = {
    ...request,
    grantedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + durationSeconds * 1_000).toISOString(),
    idleSeconds,
    policies: [...decision.policies],
    bundleVersion,
  };
  return [requested, { type: "SessionGranted", data }];
};

/** Shown to the person who asked. */
const reasonToDeny = (
  request: RequestSession,
  { endpoint, decision, activeSessions }: Ground,
  now: Date,
): string | undefined => {
  if (!endpoint) return `There is no endpoint called "${request.endpoint}"; check the address.`;
  if (decision.errors.length > 0)
    return "The policies could not be evaluated, so nothing is allowed; tell an administrator.";
  if (!decision.allowed)
    return decision.policies.length > 0
      ? `A policy forbids it: ${decision.policies.join(", ")}.`
      : "No policy permits it; ask an administrator whether one should.";
  const { justificationPattern: pattern, sessionsPerPrincipalMax: sessionsMax } = endpoint.session;
  const lacking = loginProblem(endpoint, request, now);
  if (lacking !== undefined) return lacking;
  if (sessionsMax !== undefined && activeSessions >= sessionsMax)
    return `There are ${activeSessions} sessions here in this name already, and ${sessionsMax} may be; end one of them first.`;
  if (request.justification.trim() === "") return "A justification is needed; say what the session is for.";
  if (pattern !== undefined && !new RegExp(pattern, "u").test(request.justification))
    return `The justification has to contain ${pattern}; name the ticket or the incident.`;
  return undefined;
};
