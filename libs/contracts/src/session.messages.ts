import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { authentication, client, endpointName, id, principal, sha256, time } from "./primitives.js";

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
  canWait: z
    .boolean()
    .optional()
    .describe("Whether the asker waits for an approval; denied at once where one is needed if not."),
});

/** A person who decided, as far as a record of the decision needs them. */
const person = principal.pick({ id: true, name: true });

/** What an approval of a session or of its extension is about; the digest binds it to exactly this. */
const asksApproval = {
  approvalId: id,
  requestDigest: sha256.describe("Of who asks for what, why, by which client, and for how long."),
  waitsUntil: time.describe("Nobody can approve it from then on."),
};

/** No login and no page lasts longer than a wait for an approval may. */
export const sessionWaitSecondsMax = 3_600;

/** MCP allows no colon in a tool's name, so no tool of a server can be taken for these in a policy. */
export const sessionTools = { session: "session:open", extension: "session:extend" } as const;

/** Why a session was ended before its time. */
export const revocationCause = z.enum(["person", "administrator", "logout", "groups", "misuse", "returned"]);
export type RevocationCause = z.infer<typeof revocationCause>;

export const requestSession = define("RequestSession", request, "Asks for a just-in-time session.");

export const revokeSession = define(
  "RevokeSession",
  z.object({
    sessionId: id,
    by: person,
    reason: z.string().min(1).max(2000),
    cause: revocationCause.optional(),
  }),
  "Asks that a session end now, or that a request that still waits be dropped.",
);

export const sessionCommands = [requestSession, revokeSession] as const;

export const sessionRequested = define("SessionRequested", request, "The broker took up a request.");

export const sessionAwaitsApproval = define(
  "SessionAwaitsApproval",
  request.extend({
    ...asksApproval,
    durationSeconds: z.int().positive().describe("What will be granted."),
    policies: z.array(z.string()),
    bundleVersion: z.string(),
  }),
  "A request for a session waits until another person decides it.",
);

export const sessionGranted = define(
  "SessionGranted",
  request.extend({
    grantedAt: time,
    expiresAt: time,
    idleSeconds: z.int().positive().describe("The session ends after this long without a call."),
    policies: z.array(z.string()).describe("The Cedar policies that decided."),
    bundleVersion: z.string(),
    approvalId: id.optional(),
    approvedBy: person.optional().describe("Absent where policy asks for no approval."),
    comment: z.string().optional().describe("The approver's."),
  }),
  "A session begins.",
);

/** How a wait for an approval ends without one. `void`: it was approved, and that did not count. */
export const approvalFailure = z.enum(["denied", "expired", "withdrawn", "void"]);
export type ApprovalFailure = z.infer<typeof approvalFailure>;

export const sessionDenied = define(
  "SessionDenied",
  z.object({
    ...aboutSession,
    reason: z.string(),
    policies: z.array(z.string()),
    bundleVersion: z.string(),
    cause: approvalFailure.optional().describe("Absent where the policies refused it at once."),
    approvalId: id.optional(),
    by: person.optional().describe("Who refused or dropped it."),
  }),
  "A request for a session was refused.",
);

export const sessionRevoked = define(
  "SessionRevoked",
  z.object({
    ...aboutSession,
    by: person,
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

const extension = {
  ...aboutSession,
  approvalId: id,
  durationSeconds: z.int().positive().describe("By how much."),
  justification: z.string(),
};

export const sessionExtensionRequested = define(
  "SessionExtensionRequested",
  z.object({
    ...extension,
    ...asksApproval,
    principal,
    client,
    grantedAt: time.describe("When the session began."),
    openedFor: z.string().describe("The session's own justification."),
    expiresAt: time.describe("When the session ends without it."),
    extendedUntil: time,
  }),
  "A session's owner asks for more time; another person has to approve it.",
);

export const sessionExtended = define(
  "SessionExtended",
  z.object({
    ...extension,
    expiresAt: time.describe("When the session ends now."),
    approvedBy: person,
    comment: z.string().optional().describe("The approver's."),
    policies: z.array(z.string()),
    bundleVersion: z.string(),
  }),
  "Another person approved that a session last longer.",
);

export const sessionExtensionRefused = define(
  "SessionExtensionRefused",
  z.object({
    ...extension,
    approvalId: id.optional().describe("Absent where no approval was asked for."),
    cause: z
      .enum([...approvalFailure.options, "exhausted"])
      .describe("`exhausted`: it was asked for too often; recorded once for each session."),
    reason: z.string(),
    by: person.optional(),
  }),
  "A session does not last longer than it would have.",
);

export const sessionEvents = [
  sessionRequested,
  sessionAwaitsApproval,
  sessionGranted,
  sessionDenied,
  sessionExtensionRequested,
  sessionExtended,
  sessionExtensionRefused,
  sessionRevoked,
  sessionExpired,
] as const;

export type RequestSession = DataOf<typeof requestSession>;
export type RevokeSession = DataOf<typeof revokeSession>;
export type SessionAwaitsApproval = DataOf<typeof sessionAwaitsApproval>;
export type SessionGranted = DataOf<typeof sessionGranted>;
export type SessionDenied = DataOf<typeof sessionDenied>;
export type SessionRevoked = DataOf<typeof sessionRevoked>;
export type SessionExpired = DataOf<typeof sessionExpired>;
export type SessionExtensionRequested = DataOf<typeof sessionExtensionRequested>;
export type SessionExtended = DataOf<typeof sessionExtended>;
export type SessionExtensionRefused = DataOf<typeof sessionExtensionRefused>;
