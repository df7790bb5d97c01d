import type { SamlProvider } from "@countersign/configuration";
import {
  type Profile,
  type SAML,
  Strategy,
  ValidateInResponseTo,
  type VerifyWithoutRequest,
} from "@node-saml/passport-saml";
import type { Request, Response } from "express";
import { z } from "zod";
import { readSecret } from "../config.js";
import { readCertificate } from "../readable.js";
import type { OneTime } from "../store/one-time.js";
import { login as loginSchema } from "../store/logins.js";
import type { Connection, FinishedLogin, LoginDemand } from "./connection.js";
import { LoginFailed, LoginUnknown } from "./login-errors.js";
import { loginSecondsMax, type LoginStates } from "./login-state.js";
import { sendToProvider, takeAnswer } from "./passport.js";
import { loginOf, provedBy } from "./saml-assertion.js";
import { type LogoutRequest, readLogoutRequest } from "./saml-logout-request.js";

/** What has to be remembered of SAML logins, by all replicas. */
export interface SamlMemory {
  /** Requests that wait for their answer. */
  readonly requests: Pick<OneTime, "put" | "find" | "take">;
  /** Assertions that were used. */
  readonly assertions: Pick<OneTime, "put">;
  /** Logins on their way from the provider's form to the browser that asked. */
  readonly answers: Pick<OneTime, "put" | "take">;
}

const clockSkewMs = 30_000;
const assertionMsMax = 5 * 60_000;
/** The browser comes straight back; see `receive`. */
const answerSecondsMax = 120;
const algorithm = "sha256";

const answer = z.object({ login: loginSchema, sessionIndex: z.string().optional() });

/** A SAML 2.0 login (web browser SSO profile) through passport. */
export class SamlConnection implements Connection {
  readonly #certificates: string[];
  readonly #decryptionKey: string | undefined;
  readonly #callbackUrl: string;
  readonly #logoutUrl: string;
  readonly #audience: string;

  /** Reads certificates and keys. Errors: SecretUnreadable. */
  constructor(
    private readonly provider: SamlProvider,
    ownOrigin: string,
    private readonly states: LoginStates,
    private readonly memory: SamlMemory,
  ) {
    this.#certificates = provider.certificateFiles.map(readCertificate);
    this.#decryptionKey = provider.decryptionKey && readSecret(provider.decryptionKey);
    this.#callbackUrl = `${ownOrigin}/login/${provider.id}/callback`;
    this.#logoutUrl = `${ownOrigin}/login/${provider.id}/logout`;
    this.#audience = provider.audience ?? `${ownOrigin}/login/${provider.id}/metadata`;
  }

  async begin(demand: LoginDemand, request: Request, response: Response): Promise<void> {
    const { id: provider } = this.provider;
    const { interaction, ageSecondsMax: maxAge, mfa = false } = demand;
    const handle = this.states.begin(response, { provider, interaction, maxAge });
    // SAML knows no age of a login, only a new one; whether it was new is checked with the answer.
    const strategy = this.#strategy({ requestId: `_${handle}`, forceAuthn: maxAge !== undefined, mfa });
    await sendToProvider(strategy, { additionalParams: { RelayState: handle } }, request, response);
  }

  /**
   * Takes the form that the provider has the browser send; answers the address to send the browser on to. The form
   * comes from another site, so no cookie comes with it: what it proves waits here, for the one browser that asked.
   * Errors: LoginFailed.
   */
  async receive(request: Request, response: Response): Promise<string> {
    const { user } = await takeAnswer(this.#strategy({}), request, response);
    const proved = provedBy(user as Profile, {
      issuer: this.provider.entityId,
      recipient: this.#callbackUrl,
    });
    // Of two that bring the same answer at the same moment, one finds the question gone.
    if ((await this.memory.requests.take(proved.inResponseTo)) === undefined)
      throw new LoginFailed("This answer of the identity provider was used already.");
    const used = `${this.provider.id} ${proved.assertionId}`;
    if (!(await this.memory.assertions.put(used, {}, (assertionMsMax + clockSkewMs) / 1_000)))
      throw new LoginFailed("This answer of the identity provider was used already.");
    const login = loginOf(this.provider, proved);
    const { sessionIndex } = proved;
    const handle = proved.inResponseTo.slice(1);
    await this.memory.answers.put(handle, { login, sessionIndex }, answerSecondsMax);
    return `${this.#callbackUrl}?state=${encodeURIComponent(handle)}`;
  }

  async finish(request: Request, response: Response): Promise<FinishedLogin> {
    const handle = request.query["state"];
    const begun = this.states.find(request, this.provider.id, handle);
    if (!begun) throw new LoginUnknown();
    const found = answer.safeParse(await this.memory.answers.take(begun.handle));
    if (!found.success) throw new LoginUnknown();
    this.states.forget(response, begun.handle);
    const { login, sessionIndex } = found.data;
    requireFresh(login.authentication.authTime, begun);
    return { login, interaction: begun.interaction, providerSession: sessionIndex };
  }

  /** Whether people are who the NameID says; otherwise an attribute of the login says it. */
  get namesPeopleByNameId(): boolean {
    return this.provider.subjectAttribute === undefined;
  }

  /** Whom the provider logged out. Errors: LoginFailed. */
  logoutRequest(encoded: unknown, now: Date): Promise<LogoutRequest> {
    return readLogoutRequest(this.#saml(), encoded, { destination: this.#logoutUrl, now });
  }

  /** Where the browser takes the answer to a logout request; undefined where the provider names no such place. */
  async logoutAnswer({ profile }: LogoutRequest, relayState: string): Promise<string | undefined> {
    if (this.provider.sloUrl === undefined) return undefined;
    return this.#saml().getLogoutResponseUrlAsync(profile, relayState, {}, true);
  }

  #saml(): SAML {
    const { _saml: saml } = this.#strategy({});
    if (!saml) throw new LoginFailed("SAML is not set up.");
    return saml;
  }

  /** What to give the provider so that it knows this service. */
  metadata(): string {
    const { decryptionCertificateFile: file } = this.provider;
    // Without a certificate to show, the provider has to be told of the key in another way.
    const strategy = this.#strategy({ decrypts: file !== undefined });
    return strategy.generateServiceProviderMetadata(file === undefined ? null : readCertificate(file));
  }

  #strategy(asked: {
    requestId?: string;
    forceAuthn?: boolean;
    mfa?: boolean;
    decrypts?: boolean;
  }): Strategy {
    const { requestId, forceAuthn = false, mfa = false, decrypts = true } = asked;
    const { mfaContexts, ssoUrl, sloUrl, entityId } = this.provider;
    const { requests } = this.memory;
    return new Strategy(
      {
        name: "saml",
        entryPoint: ssoUrl,
        idpIssuer: entityId,
        idpCert: this.#certificates,
        issuer: this.#audience,
        audience: this.#audience,
        callbackUrl: this.#callbackUrl,
        logoutCallbackUrl: this.#logoutUrl,
        ...(sloUrl === undefined ? {} : { logoutUrl: sloUrl }),
        ...(this.#decryptionKey === undefined || !decrypts ? {} : { decryptionPvk: this.#decryptionKey }),
        ...(requestId === undefined ? {} : { generateUniqueId: () => requestId }),
        forceAuthn,
        // A provider that is asked for a context it does not know refuses the login; so only what is configured is asked.
        ...(mfa && mfaContexts.length > 0
          ? { authnContext: [...mfaContexts] }
          : { disableRequestedAuthnContext: true }),
        identifierFormat: null,
        wantAssertionsSigned: true,
        wantAuthnResponseSigned: false,
        signatureAlgorithm: algorithm,
        digestAlgorithm: algorithm,
        acceptedClockSkewMs: clockSkewMs,
        maxAssertionAgeMs: assertionMsMax,
        requestIdExpirationPeriodMs: loginSecondsMax * 1_000,
        validateInResponseTo: ValidateInResponseTo.always,
        cacheProvider: {
          async saveAsync(id, value) {
            await requests.put(id, { value }, loginSecondsMax);
            return { value, createdAt: Date.now() };
          },
          async getAsync(id) {
            const kept = z.object({ value: z.string() }).safeParse(await requests.find(id));
            return kept.success ? kept.data.value : null;
          },
          // The library removes what it has merely looked at; `receive` uses it up when everything held.
          removeAsync: (id) => Promise.resolve(id),
        },
      },
      ((profile, done) => done(null, profile ?? undefined)) satisfies VerifyWithoutRequest,
      ((_profile, done) =>
        done(
          new LoginFailed("The identity provider sent something else than a login."),
        )) satisfies VerifyWithoutRequest,
    );
  }
}

/** The library holds OpenID Connect logins to their age; for SAML it is done here. */
function requireFresh(
  authTime: string | undefined,
  { issued, maxAge }: { readonly issued: number; readonly maxAge?: number | undefined },
): void {
  if (maxAge === undefined) return;
  if (authTime === undefined || Date.parse(authTime) < issued - maxAge * 1_000 - clockSkewMs)
    throw new LoginFailed("The identity provider did not ask for a new login; log out there and try again.");
}
