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
} from "oidc-provider";
import type { IdentityEvents } from "../identity-events.js";
import type { Logins } from "../store/logins.js";
import type { SessionsView } from "../views/sessions.view.js";

/** Short, because whoever can refresh gets the next one for as long as the session lasts. */
const tokenSecondsMax = 15 * 60;
/** A code may be redeemed at another replica, a moment before that one has heard of the session. */
const sessionMsMax = 3_000;

export interface TokenParts {
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
export function accessTokenRules({ events, sessions, logins, clock }: TokenParts): Options {
  const secondsLeft = (grantId: string | undefined): number =>
    grantId === undefined ? 0 : sessions.secondsLeft(grantId, clock.now());

  const findAccount: FindAccount = async (_ctx, sub, token) => {
    if (token && "resource" in token && token.resource !== apiAudience) {
      const { grantId } = token;
      if (grantId === undefined) return undefined;
      await sessions.waitFor(grantId, sessionMsMax);
      if (secondsLeft(grantId) === 0) return undefined;
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

/** Resolves once the evidence is; otherwise the client hears that it should come back. */
export async function durable(evidence: Promise<unknown>): Promise<void> {
  try {
    await evidence;
  } catch (cause) {
    const error = new errors.TemporarilyUnavailable("evidence cannot be written now; try again later", {
      cause,
    });
    error.status = error.statusCode = 503;
    throw error;
  }
}

/** The API has no session to look a principal up in, so the token itself says who it is. */
async function apiClaims(ctx: KoaContextWithOIDC, token: AccessToken, logins: Logins) {
  const authTime = ctx.oidc.entities.AuthorizationCode?.authTime;
  const login = authTime === undefined ? undefined : await logins.find(token.accountId, authTime);
  if (!login) throw new errors.InvalidGrant("the login is no longer known");
  const { kind, name, email, groups } = login.principal;
  return { kind, name, email, groups };
}

const isForSomebody = (token: AccessToken | ClientCredentials): token is AccessToken =>
  token.kind === "AccessToken";
