import type { PersonSessions } from "../person-sessions.js";
import type { Logins } from "../store/logins.js";
import type { OneTime } from "../store/one-time.js";
import type { IdentityProviders } from "./identity-providers.js";
import { LoginFailed } from "./login-errors.js";
import { logoutAgeSecondsMax } from "./saml-logout-request.js";

/** Ends what a person has here once their SAML provider says, by way of their browser, that they are logged out there. */
export class SamlLogout {
  constructor(
    private readonly identityProviders: IdentityProviders,
    private readonly logins: Pick<Logins, "accountOf">,
    private readonly used: Pick<OneTime, "put">,
    private readonly persons: Pick<PersonSessions, "end">,
  ) {}

  /**
   * Answers where to send the browser on to with the answer; undefined where the provider named no such place. Errors:
   * LoginFailed.
   */
  async take(
    providerId: string,
    form: { readonly SAMLRequest?: unknown; readonly RelayState?: unknown } | undefined,
    now: Date,
  ): Promise<string | undefined> {
    const connection = this.identityProviders.saml(providerId);
    if (!connection) throw new LoginFailed("This identity provider does not speak SAML.");
    const logout = await connection.logoutRequest(form?.SAMLRequest, now);
    const { nameId, sessionIndex, profile } = logout;
    if (!(await this.used.put(`${providerId} ${String(profile.ID)}`, {}, 3 * logoutAgeSecondsMax)))
      throw new LoginFailed("The logout request was used already.");
    const account = connection.namesPeopleByNameId
      ? `${providerId}:${nameId}`
      : await this.logins.accountOf(providerId, sessionIndex ?? "");
    // A session of the provider that never came here needs no end here.
    if (account !== undefined)
      await this.persons.end(account, "logout", "The person logged out at the identity provider.");
    const { RelayState: relayState } = form ?? {};
    return connection.logoutAnswer(logout, typeof relayState === "string" ? relayState : "");
  }
}
