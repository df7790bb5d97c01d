import { interactionPolicy, type KoaContextWithOIDC } from "oidc-provider";

const { base, Check } = interactionPolicy;

/** The groups a login vouched for are believed for this long, however busy the browser is. */
export const loginSecondsMax = 3_600;

/**
 * Asks for a login where there is none, an old one, or one that is too weak for what is asked; and for a session before
 * every token for an endpoint. A login that has just happened is not asked for again: the broker says what it lacks.
 */
export function interactionPolicyFor(rules: {
  readonly isForEndpoint: (ctx: KoaContextWithOIDC) => boolean;
  readonly isGoodEnough: (ctx: KoaContextWithOIDC) => Promise<boolean>;
}): interactionPolicy.DefaultPolicy {
  const policy = base();
  const login = policy.get("login");
  login?.checks.add(
    new Check(
      "login_too_old",
      "the login is too long ago",
      "login_required",
      // Nor is it asked for because the answer to the form waited for an approval.
      ({ oidc }) =>
        Boolean(oidc.session?.past(loginSecondsMax)) && !oidc.result?.login && !oidc.result?.consent,
    ),
  );
  login?.checks.add(
    new Check(
      "login_too_weak",
      "this endpoint needs another login",
      "login_required",
      // After the login comes the form of the session; its answer is no reason to log in again.
      async (ctx) => !ctx.oidc.result?.login && !ctx.oidc.result?.consent && !(await rules.isGoodEnough(ctx)),
    ),
  );
  policy
    .get("consent")
    ?.checks.add(
      new Check(
        "session_needed",
        "access to an endpoint needs a session of its own",
        "interaction_required",
        (ctx) => rules.isForEndpoint(ctx) && !ctx.oidc.result?.consent,
      ),
    );
  return policy;
}
