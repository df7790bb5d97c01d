import type { Endpoint, RequestSession } from "@countersign/contracts";

/** What the login of a person lacks for an endpoint, in words for that person; undefined where it is good enough. */
export const loginProblem = (
  { session }: Pick<Endpoint, "session">,
  { principal, authentication }: Pick<RequestSession, "principal" | "authentication">,
  now: Date,
): string | undefined => {
  if (principal.kind !== "human") return undefined;
  const { mfaRequired, authenticationAgeSecondsMax: ageMax } = session;
  if (mfaRequired && authentication.mfa !== true)
    return "This endpoint asks for more than one factor, and your identity provider did not say that you used one.";
  if (ageMax === undefined) return undefined;
  const { authTime } = authentication;
  // A provider that does not say when cannot be believed to have asked just now.
  if (authTime === undefined)
    return "This endpoint asks for a recent login, and your identity provider did not say when yours was.";
  return Date.parse(authTime) + ageMax * 1_000 < now.getTime()
    ? "Your login is too long ago for this endpoint; log in again."
    : undefined;
};
