import type { ApprovalFailure, Endpoint, Principal } from "@countersign/contracts";
import { durationOf, lengthUntil, minutesText } from "./duration.js";
import { latestEnd } from "./extend-session.js";
import { deniedOf, type Ground, grantedOf, reasonToDeny } from "./request-session.js";
import type { ActiveSession, Extension, Session, SessionEvent, Wait, WaitingSession } from "./session.js";

type Person = Pick<Principal, "id" | "name">;

/** What became of an approval. */
export type Verdict =
  | {
      readonly outcome: "granted";
      readonly by: Principal;
      readonly requestDigest: string;
      readonly comment?: string | undefined;
    }
  | { readonly outcome: "denied"; readonly by: Principal; readonly comment?: string | undefined }
  | { readonly outcome: "expired" | "withdrawn" };

/**
 * What holds at the moment of the decision, which may be another thing than at the moment of the request. The policies
 * are asked about the length that the session would have in all.
 */
export interface LastGround extends Ground {
  /** Whether the policies let the approver approve this now. */
  readonly designated: boolean;
}

/**
 * Grants, refuses or extends what waited for this approval; nothing happens to what did not, or no longer does. An
 * approval that does not count, since it is of something else, of the requester, too late, or not the approver's to give
 * any more, refuses, too: no other one can come.
 */
export const settleApproval = (
  session: Session,
  approvalId: string,
  verdict: Verdict,
  ground: LastGround,
  now: Date,
): SessionEvent[] => {
  if (session.status === "waiting" && session.wait.approvalId === approvalId)
    return settleSession(session, verdict, ground, now);
  if (
    session.status === "active" &&
    session.extension?.status === "pending" &&
    session.extension.approvalId === approvalId
  )
    return settleExtension(session, session.extension, verdict, ground, now);
  return [];
};

const settleSession = (
  { request, requestedAt, wait }: WaitingSession,
  verdict: Verdict,
  ground: LastGround,
  now: Date,
): SessionEvent[] => {
  const { endpoint } = ground;
  const failure = failureOf(verdict, wait, request.principal, ground, now);
  const problem = failure?.reason ?? reasonToDeny(request, ground, new Date(requestedAt));
  if (verdict.outcome !== "granted" || problem !== undefined || !endpoint) {
    const denied = deniedOf(request, ground, failure?.reason ?? approvedInVain(problem));
    const { approvalId } = wait;
    return [
      { ...denied, data: { ...denied.data, cause: failure?.cause ?? "void", approvalId, ...byOf(verdict) } },
    ];
  }
  const durationSeconds = wait.durationSeconds;
  const granted = grantedOf({ ...request, durationSeconds }, endpoint, ground, now);
  return [{ ...granted, data: { ...granted.data, ...approvedBy(wait, verdict) } }];
};

const settleExtension = (
  session: ActiveSession,
  extension: Extension,
  verdict: Verdict,
  ground: LastGround,
  now: Date,
): SessionEvent[] => {
  const { request, grantedAt, expiresAt } = session;
  const { approvalId, durationSeconds, justification, extendedUntil } = extension;
  const about = {
    sessionId: request.sessionId,
    principalId: request.principal.id,
    endpoint: request.endpoint,
    approvalId,
    durationSeconds,
    justification,
  };
  const failure = failureOf(verdict, extension, request.principal, ground, now);
  const problem =
    failure?.reason ??
    (Date.parse(expiresAt) <= now.getTime() ? "The session is over." : undefined) ??
    policyProblem(ground, lengthUntil(session, extendedUntil)) ??
    beyondMaximum(grantedAt, extendedUntil, ground);
  if (verdict.outcome !== "granted" || problem !== undefined) {
    const data = {
      ...about,
      cause: failure?.cause ?? ("void" as const),
      reason: failure?.reason ?? approvedInVain(problem),
      ...byOf(verdict),
    };
    return [{ type: "SessionExtensionRefused", data }];
  }
  const { approvalId: _, ...decided } = approvedBy(extension, verdict);
  const { decision, bundleVersion } = ground;
  const data = {
    ...about,
    ...decided,
    expiresAt: extendedUntil,
    policies: [...decision.policies],
    bundleVersion,
  };
  return [{ type: "SessionExtended", data }];
};

/** How long the session would be in all, if what it waits for is granted; undefined where it waits for nothing. */
export const lengthAwaited = (session: Session, endpoint: Endpoint | undefined): number | undefined => {
  if (session.status === "waiting") return endpoint && durationOf(session.wait.durationSeconds, endpoint);
  return session.status === "active" && session.extension
    ? lengthUntil(session, session.extension.extendedUntil)
    : undefined;
};

/** Why the verdict opens nothing, in words for the one who asked; undefined where it is a good approval. */
const failureOf = (
  verdict: Verdict,
  wait: Wait,
  requester: Principal,
  { designated }: LastGround,
  now: Date,
): { cause: ApprovalFailure; reason: string } | undefined => {
  switch (verdict.outcome) {
    case "expired":
      return { cause: "expired", reason: "Nobody approved it in time; ask for it again." };
    case "withdrawn":
      return { cause: "withdrawn", reason: "The request was dropped." };
    case "denied": {
      const words = verdict.comment ? `: ${verdict.comment}` : ".";
      return { cause: "denied", reason: `${nameOf(verdict.by)} refused it${words}` };
    }
    case "granted": {
      const { by } = verdict;
      const failed = (why: string) => ({
        cause: "void" as const,
        reason: `The approval does not count: ${why}`,
      });
      if (verdict.requestDigest !== wait.requestDigest) return failed("it was given for something else.");
      if (by.id === requester.id) return failed("nobody approves their own.");
      if (Date.parse(wait.waitsUntil) <= now.getTime()) return failed("it came too late; ask again.");
      if (!designated) return failed(`no policy lets ${nameOf(by)} give it.`);
      return undefined;
    }
  }
};

const policyProblem = ({ endpoint, decision }: Ground, seconds: number): string | undefined => {
  if (!endpoint) return "The endpoint is gone.";
  return decision.allowed && decision.errors.length === 0
    ? undefined
    : `No policy permits this session any more, or not for ${minutesText(seconds)} in all.`;
};

const beyondMaximum = (grantedAt: string, until: string, { endpoint }: Ground): string | undefined =>
  endpoint && until > latestEnd(grantedAt, endpoint.session.durationSecondsMax)
    ? "The endpoint allows no session to last so long any more."
    : undefined;

const approvedInVain = (problem: string | undefined): string => `It was approved, but: ${problem ?? ""}`;

const approvedBy = (
  { approvalId }: Wait,
  { by, comment }: { readonly by: Principal; readonly comment?: string | undefined },
) => ({ approvalId, approvedBy: personOf(by), ...(comment === undefined ? {} : { comment }) });

const byOf = (verdict: Verdict): { by?: Person } => ("by" in verdict ? { by: personOf(verdict.by) } : {});
const personOf = ({ id, name }: Person): Person => (name === undefined ? { id } : { id, name });
const nameOf = ({ id, name }: Person): string => name ?? id;
