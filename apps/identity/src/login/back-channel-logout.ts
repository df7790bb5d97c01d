import { type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";
import type { PersonSessions } from "../person-sessions.js";
import type { Logins } from "../store/logins.js";
import type { OneTime } from "../store/one-time.js";
import type { IdentityProviders } from "./identity-providers.js";
import { LoginFailed } from "./login-errors.js";
import { keysAt, signatureAlgorithms } from "./oidc-tokens.js";

const event = "http://schemas.openid.net/event/backchannel-logout";
const ageSecondsMax = 5 * 60;

const claims = z
  .object({
    jti: z.string().min(1),
    sub: z.string().min(1).optional(),
    sid: z.string().min(1).optional(),
    events: z.looseObject({ [event]: z.looseObject({}) }),
    nonce: z.never().optional(),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined);

/** Ends what a person has here once their identity provider says that they are logged out there. */
export class BackChannelLogout {
  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly logins: Logins,
    private readonly used: Pick<OneTime, "put">,
    private readonly persons: PersonSessions,
  ) {}

  /** Takes a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6). Errors: LoginFailed, ProviderUnreachable. */
  async take(providerId: string, token: unknown): Promise<void> {
    const connection = this.identityProviders.oidc(providerId);
    if (!connection) throw new LoginFailed("There is no such identity provider.");
    const verified = await this.#verify(await connection.logoutTrust(), token);
    const { jti, sub, sid } = verified;
    if (!(await this.used.put(`${providerId} ${jti}`, {}, 2 * ageSecondsMax)))
      throw new LoginFailed("The logout token was used already.");
    const account =
      sub === undefined ? await this.logins.accountOf(providerId, sid ?? "") : `${providerId}:${sub}`;
    // A session of the provider that never came here needs no end here.
    if (account === undefined) return;
    await this.persons.end(account, "logout", "The person logged out at the identity provider.");
  }

  async #verify(trust: { issuer: string; audience: string; jwksUrl: string }, token: unknown) {
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(String(token), keysAt(trust.jwksUrl), {
        issuer: trust.issuer,
        audience: trust.audience,
        algorithms: signatureAlgorithms,
        requiredClaims: ["iat", "jti", "events"],
        maxTokenAge: ageSecondsMax,
        clockTolerance: 30,
      }));
    } catch (cause) {
      throw new LoginFailed("The logout token is not valid.", { cause });
    }
    const parsed = claims.safeParse(payload);
    if (!parsed.success) throw new LoginFailed("The logout token lacks what a logout needs.");
    return parsed.data;
  }
}
