import type { Authentication, Principal } from "@countersign/contracts";
import type { Claims } from "./claims.js";

const textCharactersMax = 320;
const statedMax = 20;

/** A principal from what its provider vouches for. */
export function principalOf(options: {
  readonly kind: Principal["kind"];
  /** The id of the identity provider or workload issuer in countersign.yaml. */
  readonly provider: string;
  /** What identifies it there, for good. */
  readonly subject: string;
  readonly groups: readonly string[];
  readonly name?: unknown;
  readonly email?: unknown;
}): Principal {
  const { kind, provider, subject, groups } = options;
  const name = textOf(options.name);
  const email = textOf(options.email);
  return {
    id: `${provider}:${subject}`,
    kind,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    groups: [...new Set(groups)],
  };
}

/** How the principal proved itself, as far as the provider states it in `amr`, `acr` and `auth_time`. */
export function authenticationOf(
  provider: string,
  claims: Claims,
  /** Values of `acr` that stand for several factors. */
  mfaContexts: readonly string[] = [],
): Authentication {
  const { amr, acr, auth_time: authTime } = claims;
  const methods = Array.isArray(amr)
    ? amr.filter((method): method is string => typeof method === "string").slice(0, statedMax)
    : [];
  const context = textOf(acr);
  // RFC 8176 calls several factors `mfa`, however they are combined.
  const isMfa = methods.includes("mfa") || (context !== undefined && mfaContexts.includes(context));
  return {
    provider,
    ...(methods.length > 0 ? { amr: methods } : {}),
    ...(context === undefined ? {} : { acr: context }),
    ...(typeof authTime === "number" && Number.isSafeInteger(authTime) && authTime > 0
      ? { authTime: new Date(authTime * 1_000).toISOString() }
      : {}),
    ...(isMfa ? { mfa: true } : {}),
  };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value.slice(0, textCharactersMax) : undefined;
