import type { Authentication, Endpoint, Principal } from "@countersign/contracts";

interface Proof {
  readonly principal: Pick<Principal, "kind">;
  readonly authentication: Authentication;
}

/** Undefined for a login that is good enough for the endpoint, otherwise what it lacks. */
export function loginProblem(
  { session }: Pick<Endpoint, "session">,
  { principal, authentication }: Proof,
  now: Date,
): "mfa" | "age" | undefined {
  if (principal.kind !== "human") return undefined;
  const { mfaRequired, authenticationAgeSecondsMax: ageMax } = session;
  if (mfaRequired && authentication.mfa !== true) return "mfa";
  if (ageMax === undefined) return undefined;
  const { authTime } = authentication;
  // A provider that does not say when cannot be believed to have asked just now.
  if (authTime === undefined || Date.parse(authTime) + ageMax * 1_000 < now.getTime()) return "age";
  return undefined;
}
