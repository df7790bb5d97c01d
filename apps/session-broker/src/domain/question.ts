import type { RequestSession } from "@countersign/contracts";
import type { PolicyRequest } from "@countersign/policy";

/** What the policies are asked about a session: when it begins, for as long as it lasts, and before it lasts longer. */
export const questionOf = (
  request: RequestSession,
  durationSeconds: number | undefined,
  action: "openSession" | "openSessionUnattended" = "openSession",
): PolicyRequest => {
  const { principal, endpoint, client, justification, authentication } = request;
  return { action, principal, endpoint, client, justification, authentication, durationSeconds };
};
