import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { authentication, client, endpointName, id, principal, time } from "./primitives.js";

/** What every message about one session carries, so that each can be read on its own. */
const aboutSession = { sessionId: id, principalId: z.string(), endpoint: endpointName };

const request = z.object({
  sessionId: id.describe("Chosen by the asker; also the message key."),
  principal,
  authentication,
  client,
  endpoint: endpointName,
  justification: z.string().min(1).max(2000),
  durationSeconds: z.int().positive().optional().describe("Asked for; policy and endpoint may shorten it."),
  clientAddress: z.string().optional(),
});

/** Why a session was ended before its time. */
export const revocationCause = z.enum(["person", "administrator", "logout", "groups", "misuse", "returned"]);
export type RevocationCause = z.infer<typeof revocationCause>;

export const requestSession = define("RequestSession", request, "Asks for a just-in-time session.");

export const revokeSession = define(
  "RevokeSession",
  z.object({
    sessionId: id,
    by: principal.pick({ id: true, name: true }),
    reason: z.string().min(1).max(2000),
    cause: revocationCause.optional(),
  }),
  "Asks that a session end now.",
);

export const sessionCommands = [requestSession, revokeSession] as const;

export const sessionRequested = define("SessionRequested", request, "The broker took up a request.");

export const sessionGranted = define(
  "SessionGranted",
  request.extend({
    grantedAt: time,
    expiresAt: time,
    idleSeconds: z.int().positive().describe("The session ends after this long without a call."),
    policies: z.array(z.string()).describe("The Cedar policies that decided."),
    bundleVersion: z.string(),
  }),
  "A session begins.",
);

export const sessionDenied = define(
  "SessionDenied",
  z.object({ ...aboutSession, reason: z.string(), policies: z.array(z.string()), bundleVersion: z.string() }),
  "A request for a session was refused by policy.",
);

export const sessionRevoked = define(
  "SessionRevoked",
  z.object({
    ...aboutSession,
    by: principal.pick({ id: true, name: true }),
    reason: z.string(),
    cause: revocationCause.optional(),
  }),
  "A session was ended by someone.",
);

export const sessionExpired = define(
  "SessionExpired",
  z.object({
    ...aboutSession,
    cause: z.enum(["duration", "idle", "policy"]).describe("`policy`: no policy permits it any more."),
  }),
  "A session came to its end.",
);

export const sessionEvents = [
  sessionRequested,
  sessionGranted,
  sessionDenied,
  sessionRevoked,
  sessionExpired,
] as const;

export type RequestSession = DataOf<typeof requestSession>;
export type RevokeSession = DataOf<typeof revokeSession>;
export type SessionGranted = DataOf<typeof sessionGranted>;
export type SessionDenied = DataOf<typeof sessionDenied>;
export type SessionRevoked = DataOf<typeof sessionRevoked>;
export type SessionExpired = DataOf<typeof sessionExpired>;
