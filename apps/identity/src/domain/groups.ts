import { CountersignError } from "@countersign/contracts";
import { type Claims, claimAt, outermost } from "./claims.js";

const groupsMax = 1_000;
const groupCharactersMax = 320;

/** The provider has more to say about groups than it said, and a policy that forbids one must not miss it. */
export class GroupsIncomplete extends CountersignError {
  constructor() {
    super(
      "groups_incomplete",
      "The identity provider left groups out because there are too many of them (group overage). An administrator of " +
        "the identity provider has to limit the groups that it sends to this application, for example to those " +
        "assigned to it.",
    );
  }
}

/**
 * The groups that a provider vouches for, under the names that policies use. An absent claim means none: what was
 * known yesterday is not asked. Errors: GroupsIncomplete.
 */
export function groupsIn(
  claims: Claims,
  path: string,
  names: Readonly<Record<string, string>> = {},
): readonly string[] {
  const claim = claimAt(claims, path);
  if (claim === undefined && isOverage(claims, path)) throw new GroupsIncomplete();
  const listed: unknown[] = Array.isArray(claim) ? claim : [claim];
  const groups = listed.filter((group): group is string => typeof group === "string" && group !== "");
  if (groups.length > groupsMax || groups.some(({ length }) => length > groupCharactersMax))
    throw new GroupsIncomplete();
  return [...new Set(groups.map((group) => (Object.hasOwn(names, group) ? (names[group] ?? group) : group)))];
}

/**
 * Entra ID replaces a long list with a reference to elsewhere (OpenID Connect Core 5.6.2, distributed claims), or with
 * `hasgroups`. https://learn.microsoft.com/en-us/security/zero-trust/develop/configure-tokens-group-claims-app-roles
 */
function isOverage(claims: Claims, path: string): boolean {
  const elsewhere = claims["_claim_names"];
  const refersTo =
    typeof elsewhere === "object" && elsewhere !== null && Object.hasOwn(elsewhere, outermost(path));
  return refersTo || claims["hasgroups"] === true || claims["hasgroups"] === "true";
}
