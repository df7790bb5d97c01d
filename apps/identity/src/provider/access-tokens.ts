import { apiAudience } from "@countersign/contracts";
import type { Clock } from "@countersign/service-kit";
import {
  type AccessToken,
  type Client,
  type ClientCredentials,
  type Configuration,
  errors,
  type FindAccount,
  type KoaContextWithOIDC,
  type RefreshToken,
} from "oidc-provider";
import type { IdentityEvents } from "../identity-events.js";
import type { SessionRequests } from "../session-requests.js";
import type { Logins } from "../store/logins.js";
import type { SessionsView } from "../views/sessions.view.js";

/** Short, because whoever can refresh gets the next one for as long as the session lasts. */
const tokenSecondsMax = 15 * 60;
/** A code may be redeemed at another replica, a moment before that one has heard of the session. */
const sessionMsMax = 3_000;

export interface TokenParts {
  readonly recheck: (accountId: string, loginAt: number) => Promise<string | undefined>;
  readonly requests: Pick<SessionRequests, "revoke">;
  readonly events: IdentityEvents;
  readonly sessions: SessionsView;
  readonly logins: Logins;
  readonly clock: Clock;
}

type Options = Required<Pick<Configuration, "findAccount" | "extraTokenClaims" | "issueRefreshToken">> & {
  readonly accessTokenSeconds: (ctx: KoaContextWithOIDC, token: AccessToken, client: Client) => number;
  readonly grantSecondsLeft: (grantId: string | undefined) => number;
  readonly beforeSigning: NonNullable<
    NonNullable<NonNullable<Configuration["formats"]>["customizers"]>["jwt"]
  >;
};

/**
 * What access tokens say and when they may be issued. The grant of an endpoint is the session: they share the id, so a
 * code, a refresh token and an access token all know which session they belong to, and none outlives it.
 */
export function accessTokenRules(parts: TokenParts): Options {
  const { events, sessions, logins, clock } = parts;
  const secondsLeft = (grantId: string | undefined): number =>
    grantId === undefined ? 0 : sessions.secondsLeft(grantId, clock.now());

  const findAccount: FindAccount = async (_ctx, sub, token) => {
    if (token && "resource" in token && token.resource !== apiAudience) {
      const { grantId } = token;
      if (grantId === undefined) return undefined;
      await sessions.waitForDecision(grantId, sessionMsMax);
      if (secondsLeft(grantId) === 0) return undefined;
      if (token.kind === "RefreshToken") await vouchedStill(parts, token, grantId);
    }
    return { accountId: sub, claims: () => ({ sub }) };
  };

  return {
    findAccount,

    issueRefreshToken: (_ctx, client, source) =>
      client.grantTypeAllowed("refresh_token") && source.resource !== apiAudience,

    accessTokenSeconds(_ctx, token, client) {
      if (token.aud === apiAudience) return tokenSecondsMax;
      const left = secondsLeft(token.grantId);
      return Math.max(1, client.grantTypeAllowed("refresh_token") ? Math.min(tokenSecondsMax, left) : left);
    },

    grantSecondsLeft: (grantId) => Math.max(1, secondsLeft(grantId)),

    async extraTokenClaims(ctx, token) {
      if (!isForSomebody(token)) throw new errors.InvalidGrant("access tokens are for people and workloads");
      if (token.aud === apiAudience) return apiClaims(ctx, token, logins);
      const state = token.grantId === undefined ? undefined : sessions.find(token.grantId);
      if (
        state?.status !== "active" ||
        state.principalId !== token.accountId ||
        secondsLeft(token.grantId) === 0
      )
        throw new errors.InvalidGrant("the session has ended");
      return { sid: token.grantId };
    },

    async beforeSigning(_ctx, token, { payload }) {
      const { jti, sub, aud, exp } = payload;
      if (!token.client || typeof aud !== "string") throw new errors.InvalidTarget();
      const { clientId, clientName } = token.client;
      await durable(
        events.accessTokenIssued({
          tokenId: String(jti),
          principalId: String(sub),
          client: { id: clientId, ...(clientName === undefined ? {} : { name: clientName }) },
          audience: aud,
          ...(aud === apiAudience ? {} : { sessionId: String(payload["sid"]) }),
          expiresAt: new Date(Number(exp) * 1_000).toISOString(),
        }),
      );
    },
  };
}

/**
 * A client that refreshes is served only while the identity provider vouches for all that the session was granted on.
 * A person who lost a group loses the session, whatever its policy says now: the next one is decided afresh.
 */
async function vouchedStill(
  { recheck, requests }: TokenParts,
  { accountId, authTime }: RefreshToken,
  sessionId: string,
): Promise<void> {
  if (authTime === undefined) return;
  const problem = await recheck(accountId, authTime).catch((cause: unknown) => {
    if (cause instanceof errors.OIDCProviderError) throw cause;
    throw unavailable("the identity provider cannot be asked now; try again later", cause);
  });
  if (problem === undefined) return;
  await durable(requests.revoke(sessionId, problem, "groups"));
  throw new errors.InvalidGrant({ detail: problem });
}

/** Resolves once the evidence is; otherwise the client hears that it should come back. */
export async function durable(evidence: Promise<unknown>): Promise<void> {
  try {
    await evidence;
  } catch (cause) {
    throw unavailable("evidence cannot be written now; try again later", cause);
  }
}

function unavailable(message: string, cause: unknown): errors.TemporarilyUnavailable {
  const error = new errors.TemporarilyUnavailable(message, { cause });
  error.status = error.statusCode = 503;
  return error;
}

/** The API has no session to look a principal up in, so the token itself says who it is. */
async function apiClaims(ctx: KoaContextWithOIDC, token: AccessToken, logins: Logins) {
  const { AuthorizationCode: code, DeviceCode: deviceCode } = ctx.oidc.entities;
  const authTime = (code ?? deviceCode)?.authTime;
  const login = authTime === undefined ? undefined : await logins.findStanding(token.accountId, authTime);
  if (!login) throw new errors.InvalidGrant("the login is no longer known");
  const { kind, name, email, groups } = login.principal;
  return { kind, name, email, groups };
}

const isForSomebody = (token: AccessToken | ClientCredentials): token is AccessToken =>
  token.kind === "AccessToken";
