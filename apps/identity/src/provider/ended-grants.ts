import type { RevocationCause } from "@countersign/contracts";
import type { Logger } from "@countersign/service-kit";
import type { Provider } from "oidc-provider";
import type { PersonSessions } from "../person-sessions.js";
import type { SessionRequests } from "../session-requests.js";
import type { SessionsView } from "../views/sessions.view.js";

interface EndedParts {
  readonly sessions: SessionsView;
  readonly requests: SessionRequests;
  readonly persons: PersonSessions;
  readonly log: Logger;
}

/**
 * When a code or a refresh token comes back after it was used up, or a client gives its tokens back, the library
 * forgets the grant; access tokens already out end with the session.
 */
export function endSessionsOfMisusedGrants(
  provider: Provider,
  { sessions, requests, log }: EndedParts,
): void {
  provider.on("grant.revoked", (ctx, grantId) => {
    if (sessions.find(grantId)?.status !== "active") return;
    const { cause, reason } = whyRevoked(ctx.oidc.route);
    requests.revoke(grantId, reason, cause).catch((error: unknown) => {
      log.error({ code: "revoke_not_sent", sessionId: grantId, error }, "a session could not be revoked");
    });
  });
}

function whyRevoked(route: string): { cause: RevocationCause; reason: string } {
  if (route === "revocation") return { cause: "returned", reason: "The client gave its tokens back." };
  if (route.startsWith("end_session")) return { cause: "logout", reason: "The person logged out." };
  return { cause: "misuse", reason: "A code or a refresh token was used again after it was used up." };
}

/** Who logs out here wants nothing to go on in their name. */
export function endSessionsAtLogout(provider: Provider, { persons, log }: EndedParts): void {
  provider.on("end_session.success", (ctx) => {
    const accountId = ctx.oidc.session?.accountId;
    if (accountId === undefined || !ctx.oidc.params?.["logout"]) return;
    persons.end(accountId, "logout", "The person logged out.").catch((error: unknown) => {
      log.error({ code: "revoke_not_sent", error }, "sessions could not be ended at logout");
    });
  });
}
