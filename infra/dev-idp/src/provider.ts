import { randomBytes } from "node:crypto";
import { type Configuration, errors, type JWKS, type KoaContextWithOIDC, Provider } from "oidc-provider";
import { accountNamed, workload } from "./accounts.js";
import { renderErrorPage } from "./pages.js";

export interface ProviderOptions {
  readonly issuer: string;
  /** The one client that people log in to: Countersign's identity service. */
  readonly client: { readonly id: string; readonly secret: string; readonly redirectUri: string };
  /** The secret of the made-up pipeline's client; without it there is no such client. */
  readonly workloadSecret?: string;
  readonly signingKeys: JWKS;
  /** A person's groups where they are others than those of the account. */
  readonly groupsOf?: (sub: string) => readonly string[] | undefined;
}

/** Cookies ignore ports, so another OpenID provider on this host must not share these names. */
export const sessionCookie = "dev_idp_session";

const minutes = 60;

/** An OpenID provider that believes everybody: the login names an account and nothing proves it. */
export function createProvider(options: ProviderOptions): Provider {
  const { issuer, client, workloadSecret, signingKeys, groupsOf } = options;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.redirectUri],
        grant_types: ["authorization_code"],
        response_types: ["code"],
        token_endpoint_auth_method: "client_secret_post",
        // auth_time is then in every id token, not only where max_age was asked for.
        require_auth_time: true,
      },
      ...(workloadSecret === undefined
        ? []
        : [
            {
              client_id: workload.clientId,
              client_secret: workloadSecret,
              redirect_uris: [],
              response_types: [],
              grant_types: ["client_credentials"],
              token_endpoint_auth_method: "client_secret_post" as const,
            },
          ]),
    ],
    jwks: signingKeys,
    cookies: {
      keys: [randomBytes(32).toString("base64url")],
      names: {
        session: sessionCookie,
        interaction: "dev_idp_interaction",
        resume: "dev_idp_resume",
      },
    },
    scopes: ["openid", "profile", "email", "groups"],
    claims: {
      openid: ["sub", "amr"],
      profile: ["name", "groups"],
      email: ["email", "email_verified"],
      groups: ["groups"],
    },
    // Many companies' providers put these into the id token, not only behind userinfo.
    conformIdTokenClaims: false,
    pkce: { required: () => false },
    findAccount: (_ctx, sub) => {
      const account = accountNamed(sub);
      if (!account) return undefined;
      return {
        accountId: sub,
        claims: () => ({ ...account, groups: groupsOf?.(sub) ?? account.groups, email_verified: true }),
      };
    },
    // Nobody is asked to consent: the company's own provider and its own application.
    loadExistingGrant: grantEverything,
    extraTokenClaims: (_ctx, token) =>
      token.kind === "ClientCredentials" && token.clientId === workload.clientId
        ? { groups: workload.groups }
        : undefined,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, ...workloadAudience },
    },
    interactions: { url: (_ctx, interaction) => `/login/${interaction.uid}` },
    renderError: (ctx, { error, error_description: description }) => {
      ctx.type = "html";
      ctx.body = renderErrorPage(error, description);
    },
    ttl: {
      AccessToken: 60 * minutes,
      AuthorizationCode: minutes,
      ClientCredentials: 10 * minutes,
      Grant: 60 * minutes,
      IdToken: 10 * minutes,
      Interaction: 60 * minutes,
      Session: 60 * minutes,
    },
  } satisfies Configuration);
  return provider;
}

const workloadAudience = {
  defaultResource: (ctx: KoaContextWithOIDC) =>
    ctx.oidc.client?.clientId === workload.clientId ? workload.audience : [],
  useGrantedResource: () => false,
  getResourceServerInfo: (_ctx: KoaContextWithOIDC, resource: string) => {
    if (resource !== workload.audience) throw new errors.InvalidTarget();
    return {
      scope: "",
      audience: workload.audience,
      accessTokenFormat: "jwt" as const,
      accessTokenTTL: 10 * minutes,
      jwt: { sign: { alg: "RS256" as const } },
    };
  },
};

async function grantEverything(ctx: KoaContextWithOIDC) {
  const { client, session, provider } = ctx.oidc;
  if (!client || !session?.accountId) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope("openid profile email groups");
  await grant.save();
  return grant;
}
