import type { Endpoint } from "@countersign/contracts";
import { Refusal } from "../refusal.js";
import type { SessionView } from "../views/session.view.js";
import type { Claims } from "./verify-token.js";

/**
 * Finds the session that the token names, in the proxy's own view. A token is used within milliseconds of its grant,
 * so a session that is not there yet is waited for, bounded, and then refused.
 */
export async function findSession(
  claims: Claims,
  endpoint: Endpoint,
  sessions: SessionView,
): Promise<ReturnType<SessionView["find"]> & object> {
  const found = await sessions.waitFor(claims.sessionId);
  if (!found) throw ended("session_unknown", "The session is not known here; log in again.");
  const { session } = found;
  if (
    session.principal.id !== claims.principalId ||
    session.client.id !== claims.clientId ||
    session.endpoint !== endpoint.name
  ) {
    throw ended("session_unknown", "The access token and its session do not belong together; log in again.");
  }
  if (found.ended.aborted) {
    throw ended("session_ended", `The session has ended (${String(found.ended.reason)}); log in again.`);
  }
  return found;
}

const ended = (reason: "session_unknown" | "session_ended", message: string): Refusal =>
  new Refusal(reason, message, { httpStatus: 401 });
