import type { OidcProvider } from "@countersign/configuration";
import type { Request, Response } from "express";
import type { Profile } from "passport";
import { Strategy, type VerifyCallback } from "passport-openidconnect";
import { z } from "zod";
import { claimAt, type Claims } from "../domain/claims.js";
import { groupsIn } from "../domain/groups.js";
import { authenticationOf, principalOf } from "../domain/principal.js";
import type { Connection, FinishedLogin, LoginDemand } from "./connection.js";
import { discover, type ProviderMetadata } from "./discovery.js";
import { loginFailed, LoginFailed, LoginUnknown } from "./login-errors.js";
import type { LoginStates } from "./login-state.js";
import { idTokenClaims, renew, type Renewed, type UpstreamTokens, userInfo } from "./oidc-tokens.js";
import { sendToProvider, takeAnswer } from "./passport.js";

type Proved = Omit<FinishedLogin, "interaction">;

/** An OpenID Connect login through passport. */
export class OidcConnection implements Connection {
  #known: { readonly strategy: Strategy; readonly metadata: ProviderMetadata } | undefined;

  constructor(
    private readonly provider: OidcProvider,
    private readonly clientSecret: string,
    private readonly ownOrigin: string,
    private readonly states: LoginStates,
  ) {}

  async begin(demand: LoginDemand, request: Request, response: Response): Promise<void> {
    const { strategy } = await this.#connect();
    const { interaction: state, ageSecondsMax, mfa = false, loginHint } = demand;
    const { mfaContexts } = this.provider;
    const asked: AskedForLogin = {
      ...(ageSecondsMax === undefined ? {} : { max_age: ageSecondsMax }),
      ...(mfa && mfaContexts.length > 0 ? { acr_values: mfaContexts.join(" ") } : {}),
      ...(loginHint === undefined ? {} : { login_hint: loginHint }),
    };
    await sendToProvider(strategy, { state, asked }, request, response);
  }

  async finish(request: Request, response: Response): Promise<FinishedLogin> {
    const { state, iss } = request.query;
    if (!this.states.find(request, this.provider.id, state)) throw new LoginUnknown();
    // RFC 9207: an answer that says it comes from another server is mixed up, whatever its code is worth.
    if (iss !== undefined && iss !== this.provider.issuer)
      throw new LoginFailed("The answer names another identity provider than the one that was asked.");
    const { strategy } = await this.#connect();
    const { user, info } = await takeAnswer(strategy, request, response);
    const found = z.object({ state: z.string() }).safeParse(info);
    if (!found.success) throw new LoginFailed("The identity provider did not confirm the login; try again.");
    return { ...(user as Proved), interaction: found.data.state };
  }

  /** Asks the provider again about a person who logged in here. Errors: ProviderUnreachable, LoginFailed. */
  async renew(subject: string, tokens: UpstreamTokens): Promise<Renewed> {
    return renew(this.provider, await discover(this.provider.issuer), this.clientSecret, subject, tokens);
  }

  /** Whom a logout token has to be by and for. */
  async logoutTrust(): Promise<{ issuer: string; audience: string; jwksUrl: string }> {
    const { jwks_uri: jwksUrl } = await discover(this.provider.issuer);
    return { issuer: this.provider.issuer, audience: this.provider.clientId, jwksUrl };
  }

  async #connect() {
    const metadata = await discover(this.provider.issuer);
    if (this.#known?.metadata !== metadata) this.#known = { metadata, strategy: this.#strategyFor(metadata) };
    return this.#known;
  }

  #strategyFor(metadata: ProviderMetadata): Strategy {
    const { provider } = this;
    return new DemandingStrategy(
      {
        issuer: provider.issuer,
        authorizationURL: metadata.authorization_endpoint,
        tokenURL: metadata.token_endpoint,
        userInfoURL: metadata.userinfo_endpoint ?? "",
        clientID: provider.clientId,
        clientSecret: this.clientSecret,
        callbackURL: `${this.ownOrigin}/login/${provider.id}/callback`,
        scope: provider.scopes.filter((scope) => scope !== "openid"),
        // Any value asks the library for a fresh nonce of its own making.
        nonce: "fresh",
        skipUserProfile: true,
        store: this.states.storeFor(provider.id),
      },
      // The library tells by the number of parameters what to hand over.
      (
        _issuer: string,
        _profile: Profile,
        _context: object,
        idToken: string | object,
        accessToken: string | object,
        refreshToken: string,
        done: VerifyCallback,
      ) => {
        proveLogin(provider, metadata, idToken as string, {
          accessToken: accessToken as string,
          ...(refreshToken ? { refreshToken } : {}),
        }).then(
          (proved) => done(null, proved),
          (error: unknown) => done(loginFailed(error)),
        );
      },
    );
  }
}

type AskedForLogin = Readonly<Record<string, string | number>>;

/** Lets each login ask for an age and for a context of its own. */
class DemandingStrategy extends Strategy {
  override authorizationParams(options: object): object {
    return "asked" in options ? { ...(options.asked as AskedForLogin) } : {};
  }
}

/** The login that an ID token proves. The library has compared issuer, audience, expiry, nonce and age. */
async function proveLogin(
  provider: OidcProvider,
  metadata: ProviderMetadata,
  idToken: string,
  tokens: UpstreamTokens,
): Promise<Proved> {
  const payload = await idTokenClaims(provider, metadata, idToken, ["nonce"]);
  const subject = String(payload.sub);
  const complete = [provider.groupsClaim, "name", "email"].every(
    (claim) => claimAt(payload, claim) !== undefined,
  );
  const more = complete ? {} : await userInfo(metadata, tokens.accessToken, subject);
  const claims: Claims = { ...more, ...payload };
  return {
    login: {
      principal: principalOf({
        kind: "human",
        provider: provider.id,
        subject,
        groups: groupsIn(claims, provider.groupsClaim, provider.groupNames),
        name: claims["name"] ?? claims["preferred_username"],
        email: claims["email"],
      }),
      authentication: authenticationOf(provider.id, payload, provider.mfaContexts),
    },
    ...(typeof payload["sid"] === "string" ? { providerSession: payload["sid"] } : {}),
    tokens: { ...tokens, ...groupsFrom(provider, payload, more) },
  };
}

function groupsFrom(
  { groupsClaim }: OidcProvider,
  idToken: Claims,
  userInfo: Claims | undefined,
): Pick<UpstreamTokens, "groupsFrom"> {
  if (claimAt(idToken, groupsClaim) !== undefined) return { groupsFrom: "idToken" };
  return userInfo && claimAt(userInfo, groupsClaim) !== undefined ? { groupsFrom: "userInfo" } : {};
}
