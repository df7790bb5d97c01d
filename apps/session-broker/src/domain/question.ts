import type { RequestSession } from "@countersign/contracts";
import type { PolicyRequest } from "@countersign/policy";

/** What the policies are asked about a session: when it begins, and for as long as it lasts. */
export const questionOf = (
  request: RequestSession,
  action: "openSession" | "openSessionUnattended" = "openSession",
): PolicyRequest => {
  const { principal, endpoint, client, justification, authentication } = request;
  return { action, principal, endpoint, client, justification, authentication };
};
