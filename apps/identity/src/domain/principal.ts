import type { Authentication, Principal } from "@countersign/contracts";

/** The claims of a verified token. */
export type Claims = Readonly<Record<string, unknown>>;

const groupsMax = 200;
const textCharactersMax = 320;

/** A principal from verified claims. Whoever the provider says nothing about has no groups. */
export function principalOf(options: {
  readonly kind: Principal["kind"];
  /** The id of the identity provider or workload issuer in countersign.yaml. */
  readonly provider: string;
  readonly claims: Claims;
  readonly groupsClaim: string;
  readonly groupsAlways?: readonly string[];
}): Principal {
  const { kind, provider, claims, groupsClaim, groupsAlways = [] } = options;
  const name = textOf(claims["name"]) ?? textOf(claims["preferred_username"]);
  const email = textOf(claims["email"]);
  return {
    id: `${provider}:${String(claims["sub"])}`,
    kind,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    groups: [...new Set([...groupsOf(claims[groupsClaim]), ...groupsAlways])],
  };
}

/** How the principal proved itself, as far as the provider states it. */
export function authenticationOf(provider: string, claims: Claims): Authentication {
  const { amr, acr, auth_time: authTime } = claims;
  const methods = Array.isArray(amr) ? amr.filter((method) => typeof method === "string") : [];
  return {
    provider,
    ...(methods.length > 0 ? { amr: methods } : {}),
    ...(typeof acr === "string" ? { acr } : {}),
    ...(typeof authTime === "number" && Number.isSafeInteger(authTime) && authTime > 0
      ? { authTime: new Date(authTime * 1_000).toISOString() }
      : {}),
  };
}

/** A list of names, or a single one; whatever is neither vouches for nothing. */
function groupsOf(claim: unknown): string[] {
  const listed: unknown[] = Array.isArray(claim) ? claim : [claim];
  return listed
    .filter((group): group is string => typeof group === "string" && group !== "")
    .slice(0, groupsMax);
}

const textOf = (claim: unknown): string | undefined =>
  typeof claim === "string" && claim !== "" ? claim.slice(0, textCharactersMax) : undefined;
