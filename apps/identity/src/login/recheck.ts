import type { IdentityProvider } from "@countersign/configuration";
import { groupsIn } from "../domain/groups.js";
import type { Logins } from "../store/logins.js";
import type { IdentityProviders } from "./identity-providers.js";

export interface RecheckParts {
  readonly identityProviders: IdentityProviders;
  readonly configured: readonly IdentityProvider[];
  readonly logins: Logins;
}

/**
 * Asks the identity provider again about a person who logged in at `loginAt` (seconds). Undefined while it vouches for
 * every group of that login, or says nothing about groups; otherwise what it does not vouch for any more. Providers
 * that give no way to ask, as with SAML, end sessions by a logout that they tell of and by the session's own end alone.
 * Whoever cannot be asked about any more, though their provider would answer, is vouched for by nobody.
 * Errors: ProviderUnreachable, LoginFailed, GroupsIncomplete.
 */
export const recheck = (
  parts: RecheckParts,
  accountId: string,
  loginAt: number,
): Promise<string | undefined> =>
  parts.logins.exclusively(accountId, loginAt, () => recheckNow(parts, accountId, loginAt));

async function recheckNow(
  parts: RecheckParts,
  accountId: string,
  loginAt: number,
): Promise<string | undefined> {
  const login = await parts.logins.find(accountId, loginAt);
  if (!login) return "The login is no longer known.";
  const { provider: providerId } = login.authentication;
  const connection = parts.identityProviders.oidc(providerId);
  const provider = parts.configured.find(({ id }) => id === providerId);
  if (!provider) return "The identity provider of the login is not one of ours any more.";
  if (!connection || provider.type !== "oidc") return undefined;
  const tokens = await parts.logins.tokensOf(accountId, loginAt);
  if (!tokens) return "The identity provider cannot be asked about the login any more.";
  const renewed = await connection.renew(accountId.slice(providerId.length + 1), tokens);
  switch (renewed.status) {
    case "refused":
      return "The identity provider does not vouch for the person any more.";
    case "silent":
      await parts.logins.rememberTokens(accountId, loginAt, renewed.tokens);
      return undefined;
    case "vouched": {
      await parts.logins.rememberTokens(accountId, loginAt, renewed.tokens);
      const now = new Set(groupsIn(renewed.claims, provider.groupsClaim, provider.groupNames));
      const lost = login.principal.groups.filter((group) => !now.has(group));
      return lost.length === 0
        ? undefined
        : "The identity provider does not vouch for all groups of the login any more.";
    }
  }
}
