import type { Authentication, Client, EventOn, Principal } from "@countersign/contracts";
import { classes, type Described, otherActivity } from "./ocsf-base.js";
import { sourceOf, userOf } from "./ocsf-objects.js";

/** OCSF 3002: 1 is a logon, 3 an authentication ticket. */
const authenticationActivities = { logon: 1, ticket: 3 } as const;
/** OCSF 3003: 1 assigns privileges. */
const assignPrivileges = 1;

type Login = Extract<
  EventOn<"identity.events">,
  { type: "PrincipalAuthenticated" | "AuthenticationFailed" | "AccessTokenIssued" }
>;

const identity = { name: "countersign identity" };

export function authenticationActivity(event: Login): Described {
  switch (event.type) {
    case "PrincipalAuthenticated": {
      const { principal, authentication, clientAddress } = event.data;
      return {
        class: classes.authentication,
        activity: authenticationActivities.logon,
        status: "success",
        attributes: {
          user: userOf(principal),
          service: identity,
          is_mfa: authentication.amr?.includes("mfa") ?? false,
          actor: { idp: { name: authentication.provider } },
          src_endpoint: sourceOf(clientAddress, "identity"),
        },
      };
    }
    case "AuthenticationFailed":
      return {
        class: classes.authentication,
        activity: authenticationActivities.logon,
        status: "failure",
        statusDetail: event.data.reason,
        severity: "medium",
        attributes: {
          user: { name: "unknown" },
          service: identity,
          src_endpoint: sourceOf(event.data.clientAddress, "identity"),
        },
      };
    case "AccessTokenIssued":
      return {
        class: classes.authentication,
        activity: authenticationActivities.ticket,
        status: "success",
        sessionId: event.data.sessionId,
        attributes: {
          user: { uid: event.data.principalId },
          service: { name: event.data.audience },
          session: { uid: event.data.sessionId ?? event.data.tokenId },
        },
      };
  }
}

interface Granted {
  readonly sessionId: string;
  readonly endpoint: string;
  readonly principal: Principal;
  readonly client: Client;
  readonly authentication: Authentication;
  readonly expiresAt: string;
}

/** A just-in-time session begins: the privilege is the endpoint. */
export const sessionGranted = ({ sessionId, endpoint, principal, expiresAt }: Granted): Described => ({
  class: classes.authorizeSession,
  activity: assignPrivileges,
  status: "success",
  sessionId,
  attributes: {
    user: userOf(principal),
    privileges: [endpoint],
    session: { uid: sessionId, expiration_time: Date.parse(expiresAt) },
  },
});

/** A session, or more time for one, waits for another person, is refused, or is over. */
export const sessionChanged = (
  { sessionId, principalId, endpoint }: { sessionId: string; principalId: string; endpoint: string },
  how: { name: string; reason: string; refused?: boolean },
): Described => ({
  class: classes.authorizeSession,
  activity: otherActivity,
  activityName: how.name,
  status: how.refused ? "failure" : "success",
  statusDetail: how.reason,
  ...(how.refused ? { severity: "medium" as const } : {}),
  sessionId,
  attributes: { user: { uid: principalId }, privileges: [endpoint], session: { uid: sessionId } },
});
