import type { Authentication, Endpoint, Principal } from "@countersign/contracts";

interface Proof {
  readonly principal: Pick<Principal, "kind">;
  readonly authentication: Authentication;
}

/** Several factors; a provider that says when the login was; a more recent one. */
export type Lacking = "factors" | "time" | "recency";

/** What the login of a person lacks for an endpoint; undefined where it is good enough. Machines have no login. */
export const lackingIn = (
  { principal, authentication }: Proof,
  { session }: Pick<Endpoint, "session">,
  now: Date,
): Lacking | undefined => {
  if (principal.kind !== "human") return undefined;
  const { mfaRequired, authenticationAgeSecondsMax: ageMax } = session;
  if (mfaRequired && authentication.mfa !== true) return "factors";
  if (ageMax === undefined) return undefined;
  const { authTime } = authentication;
  // A provider that does not say when cannot be believed to have asked just now.
  if (authTime === undefined) return "time";
  return Date.parse(authTime) + ageMax * 1_000 < now.getTime() ? "recency" : undefined;
};
