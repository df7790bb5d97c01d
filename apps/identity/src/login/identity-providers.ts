import type { IdentityProvider } from "@countersign/configuration";
import { CountersignError } from "@countersign/contracts";
import type { Request, Response } from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";
import passport from "passport";
import { Strategy, type VerifyCallback } from "passport-openidconnect";
import { z } from "zod";
import { readSecret } from "../config.js";
import { authenticationOf, type Claims, principalOf } from "../domain/principal.js";
import type { Login } from "../store/logins.js";
import { discover, type ProviderMetadata } from "./discovery.js";
import type { LoginStates } from "./login-state.js";

/** A login that did not succeed, in words that may be recorded and shown. */
export class LoginFailed extends CountersignError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("login_failed", message, options);
  }
}

/** An answer to a login that this browser did not begin, or began too long ago. */
export class LoginUnknown extends CountersignError {
  constructor() {
    super("login_unknown", "This browser did not ask for this login, or took too long over it.");
  }
}

export interface FinishedLogin {
  readonly login: Login;
  /** The interaction that the login was for. */
  readonly interaction: string;
}

interface Connection {
  readonly strategy: Strategy;
  readonly metadata: ProviderMetadata;
}

const answerMsMax = 10_000;

/** The company's identity providers, each an OpenID Connect login through passport. */
export class IdentityProviders {
  readonly #passport = new passport.Passport();
  readonly #connections = new Map<string, Connection>();
  readonly #secrets: ReadonlyMap<string, string>;

  /** Reads the providers' client secrets. Errors: SecretUnreadable. */
  constructor(
    private readonly providers: readonly IdentityProvider[],
    private readonly ownOrigin: string,
    private readonly states: LoginStates,
  ) {
    this.#secrets = new Map(providers.map(({ id, clientSecret }) => [id, readSecret(clientSecret)]));
  }

  list(): readonly Pick<IdentityProvider, "id" | "title">[] {
    return this.providers;
  }

  /** Sends the browser to the provider. Errors: LoginFailed, ProviderUnreachable. */
  async begin(id: string, interaction: string, request: Request, response: Response): Promise<void> {
    const { strategy } = await this.#connect(id);
    await new Promise<void>((resolve, reject) => {
      response.once("finish", resolve);
      // The state is a plain text here; the library hands it on as it is.
      const options = { session: false, state: interaction } as passport.AuthenticateOptions;
      this.#passport.authenticate(strategy, options, (error: unknown) => reject(loginFailed(error)))(
        request,
        response,
        reject,
      );
    });
  }

  /** Takes the provider's answer. Errors: LoginFailed, LoginUnknown, ProviderUnreachable. */
  async finish(id: string, request: Request, response: Response): Promise<FinishedLogin> {
    if (!this.states.find(request, id, request.query["state"])) throw new LoginUnknown();
    const { strategy } = await this.#connect(id);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<FinishedLogin>((resolve, reject) => {
        timer = setTimeout(
          () => reject(new LoginFailed("The identity provider did not answer.")),
          answerMsMax,
        );
        this.#passport.authenticate(
          strategy,
          { session: false },
          (error: unknown, user?: unknown, info?: unknown) => {
            const state = infoSchema.safeParse(info);
            if (error || !user || !state.success) reject(loginFailed(error));
            else resolve({ login: user as Login, interaction: state.data.state });
          },
        )(request, response, reject);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #connect(id: string): Promise<Connection> {
    const provider = this.providers.find((provider) => provider.id === id);
    if (!provider) throw new LoginFailed("There is no such identity provider.");
    const metadata = await discover(provider.issuer);
    const known = this.#connections.get(id);
    if (known?.metadata === metadata) return known;
    const connection = { metadata, strategy: this.#strategyFor(provider, metadata) };
    this.#connections.set(id, connection);
    return connection;
  }

  #strategyFor(provider: IdentityProvider, metadata: ProviderMetadata): Strategy {
    const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), { timeoutDuration: 5_000 });
    return new Strategy(
      {
        issuer: provider.issuer,
        authorizationURL: metadata.authorization_endpoint,
        tokenURL: metadata.token_endpoint,
        userInfoURL: metadata.userinfo_endpoint ?? "",
        clientID: provider.clientId,
        clientSecret: this.#secrets.get(provider.id) ?? "",
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
        _profile: passport.Profile,
        _context: object,
        idToken: string | object,
        accessToken: string | object,
        _refreshToken: string,
        done: VerifyCallback,
      ) => {
        proveLogin(provider, metadata, keys, idToken as string, accessToken as string).then(
          (login) => done(null, login),
          (error: unknown) => done(loginFailed(error)),
        );
      },
    );
  }
}

const infoSchema = z.object({ state: z.string() });

/**
 * The login that an ID token proves. The library has compared issuer, audience, expiry and nonce, but leaves the
 * signature to the connection (OpenID Connect Core 3.1.3.7, 6); it is checked here, since everything rests on it.
 */
async function proveLogin(
  provider: IdentityProvider,
  metadata: ProviderMetadata,
  keys: ReturnType<typeof createRemoteJWKSet>,
  idToken: string,
  accessToken: string,
): Promise<Login> {
  const { payload } = await jwtVerify(idToken, keys, {
    issuer: provider.issuer,
    audience: provider.clientId,
    algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
    requiredClaims: ["sub", "exp", "iat", "nonce"],
    clockTolerance: 5,
  });
  const complete = [provider.groupsClaim, "name", "email"].every((claim) => claim in payload);
  const more = complete ? {} : await userInfo(metadata, accessToken, String(payload.sub));
  const claims: Claims = { ...more, ...payload };
  return {
    principal: principalOf({
      kind: "human",
      provider: provider.id,
      claims,
      groupsClaim: provider.groupsClaim,
    }),
    authentication: authenticationOf(provider.id, payload),
  };
}

/** Claims that the provider keeps out of its ID tokens; none where it has no such endpoint or will not tell. */
async function userInfo(
  { userinfo_endpoint: endpoint }: ProviderMetadata,
  accessToken: string,
  subject: string,
): Promise<Claims> {
  if (endpoint === undefined) return {};
  const response = await fetch(endpoint, {
    headers: { authorization: `Bearer ${accessToken}` },
    signal: AbortSignal.timeout(answerMsMax / 2),
    redirect: "error",
  });
  if (!response.ok || !response.headers.get("content-type")?.includes("json")) return {};
  const claims = z.looseObject({ sub: z.string() }).parse(await response.json());
  // OpenID Connect Core 5.3.2: an answer about somebody else must not be used.
  if (claims.sub !== subject) throw new LoginFailed("The identity provider answered about another person.");
  return claims;
}

const loginFailed = (error: unknown): Error =>
  error instanceof CountersignError
    ? error
    : new LoginFailed("The identity provider did not confirm the login; try again.", { cause: error });
