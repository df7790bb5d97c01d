import { interactionPolicy, type KoaContextWithOIDC } from "oidc-provider";

const { base, Check } = interactionPolicy;

/** The groups a login vouched for are believed for this long, however busy the browser is. */
export const loginSecondsMax = 3_600;

/** Asks for a login where there is none or an old one, and for a session before every token for an endpoint. */
export function interactionPolicyFor(
  isForEndpoint: (ctx: KoaContextWithOIDC) => boolean,
): interactionPolicy.DefaultPolicy {
  const policy = base();
  policy
    .get("login")
    ?.checks.add(
      new Check(
        "login_too_old",
        "the login is too long ago",
        "login_required",
        ({ oidc }) => Boolean(oidc.session?.past(loginSecondsMax)) && !oidc.result?.login,
      ),
    );
  policy
    .get("consent")
    ?.checks.add(
      new Check(
        "session_needed",
        "access to an endpoint needs a session of its own",
        "interaction_required",
        (ctx) => isForEndpoint(ctx) && !ctx.oidc.result?.consent,
      ),
    );
  return policy;
}
