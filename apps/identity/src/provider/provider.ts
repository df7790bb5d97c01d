import { apiAudience, sessionWaitSecondsMax } from "@countersign/contracts";
import type { KeyedClient } from "@countersign/configuration";
import { lackingIn } from "@countersign/policy";
import type { Logger } from "@countersign/service-kit";
import {
  Provider,
  type ClientMetadata,
  type Configuration,
  type ErrorOut,
  errors,
  type JWKS,
  type KoaContextWithOIDC,
} from "oidc-provider";
import type { DataSource } from "typeorm";
import { type IdentityConfig, readClientDocuments } from "../config.js";
import { type Audience, audienceOf, scopeOf, scopeWithDefaults } from "../domain/audience.js";
import { Markup } from "../pages/html.js";
import type { Page } from "../pages/page.js";
import { errorPage, loggedOutPage, logoutPage } from "../pages/pages.js";
import type { PersonSessions } from "../person-sessions.js";
import type { Seals } from "../seals.js";
import type { SessionRequests } from "../session-requests.js";
import { OidcStore } from "../store/oidc-store.js";
import type { EndpointsView } from "../views/endpoints.view.js";
import { accessTokenRules, type TokenParts } from "./access-tokens.js";
import { clientRules, consoleClientId, mayFetch, ownClients } from "./clients.js";
import { endSessionsAtLogout, endSessionsOfMisusedGrants } from "./ended-grants.js";
import { paths } from "./paths.js";
import { recordRefusals } from "./refusals.js";
import { recordRegistrations } from "./registrations.js";
import { addScopeToBody, deviceCodeSeconds, deviceFlow } from "./device-flow.js";
import { interactionPolicyFor, loginSecondsMax } from "./interaction-policy.js";

export interface ProviderParts extends TokenParts {
  readonly config: IdentityConfig;
  readonly keys: JWKS;
  readonly clients: readonly KeyedClient[];
  readonly seals: Seals;
  readonly dataSource: DataSource;
  readonly endpoints: EndpointsView;
  readonly requests: SessionRequests;
  readonly persons: PersonSessions;
  readonly log: Logger;
}

const codeSeconds = 60;
const interactionSeconds = 30 * 60;

/** The authorization server: a certified library, held to OAuth 2.1 and to what MCP asks of it. */
export function createProvider(parts: ProviderParts): Provider {
  const { config, endpoints } = parts;
  const audience = (resource: string): Audience | undefined =>
    audienceOf(resource, config.GATEWAY_URL, endpoints.all());
  const provider = new Provider(config.ISSUER_URL, configurationOf(parts, audience));
  // Every request arrives with its origin pinned to the issuer; see `pinOrigin`.
  provider.proxy = true;
  provider.silent = true;
  provider.use(async (ctx, next) => {
    if (ctx.path === paths.device_authorization && ctx.method === "POST") await addScopeToBody(ctx);
    if (ctx.path === paths.authorization && typeof (ctx.query["scope"] ?? "") === "string")
      ctx.query = { ...ctx.query, scope: scopeWithDefaults(ctx.query["scope"] as string | undefined) };
    await next();
  });
  recordRegistrations(provider, parts);
  endSessionsOfMisusedGrants(provider, parts);
  recordRefusals(provider, parts);
  endSessionsAtLogout(provider, parts);
  return provider;
}

function configurationOf(
  parts: ProviderParts,
  audience: (resource: string) => Audience | undefined,
): Configuration {
  const { config, keys, seals, dataSource } = parts;
  const tokens = accessTokenRules(parts);
  const own = ownClients(config, parts.clients);
  const known = readClientDocuments(config).map((document): ClientMetadata => ({ ...document }));
  const waitSecondsFor = (ctx: KoaContextWithOIDC): number => {
    const asked = ctx.oidc.params?.["resource"];
    const found = typeof asked === "string" ? audience(asked) : undefined;
    if (found?.kind !== "endpoint") return 0;
    return Math.min(found.endpoint.approval.expirySeconds, sessionWaitSecondsMax);
  };
  const mayFetchClients = config.CLIENT_METADATA_DOCUMENTS === "fetch";
  return {
    adapter: (model) => new OidcStore(dataSource, model, seals),
    clients: [...own, ...known],
    jwks: keys,
    routes: paths,
    responseTypes: ["code"],
    scopes: ["openid", "offline_access"],
    claims: { openid: ["sub"] },
    subjectTypes: ["public"],
    clientAuthMethods: ["none", "private_key_jwt"],
    clientDefaults: {
      grant_types: ["authorization_code"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "ES256",
    },
    enabledJWA: {
      idTokenSigningAlgValues: ["ES256"],
      clientAuthSigningAlgValues: ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519"],
    },
    extraClientMetadata: clientRules(own),
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: () => true },
    // No cookie reaches the token endpoint; a code and its verifier are all the proof there is, wherever they come from.
    clientBasedCORS: () => true,
    cookies: {
      keys: [seals.keyFor("cookies")],
      names: {
        session: "countersign_session",
        interaction: "countersign_interaction",
        resume: "countersign_resume",
      },
      long: { httpOnly: true, sameSite: "lax", signed: true },
      short: { httpOnly: true, sameSite: "lax", signed: true },
    },
    interactions: {
      url: (_ctx, { uid }) => `/interaction/${uid}`,
      policy: interactionPolicyFor({
        isForEndpoint: ({ oidc }) => !isForApi(oidc.params?.["resource"]),
        isGoodEnough: (ctx) => isGoodEnough(ctx, audience, parts),
      }),
    },
    loadExistingGrant,
    findAccount: tokens.findAccount,
    extraTokenClaims: tokens.extraTokenClaims,
    issueRefreshToken: tokens.issueRefreshToken,
    formats: { customizers: { jwt: tokens.beforeSigning } },
    rotateRefreshToken: () => true,
    // The session of an endpoint has an end of its own; another endpoint's login must not end it.
    expiresWithSession: () => false,
    ttl: {
      AccessToken: tokens.accessTokenSeconds,
      AuthorizationCode: codeSeconds,
      Grant: loginSecondsMax,
      IdToken: codeSeconds * 5,
      // Beside what a person needs, both last as long as somebody else may take to approve.
      DeviceCode: (ctx) => deviceCodeSeconds + waitSecondsFor(ctx),
      Interaction: (ctx) => interactionSeconds + waitSecondsFor(ctx),
      RefreshToken: (_ctx, token) => tokens.grantSecondsLeft(token.grantId),
      Session: loginSecondsMax + sessionWaitSecondsMax,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      userinfo: { enabled: false },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      deviceFlow: deviceFlow(send),
      clientIdMetadataDocument: {
        // Clients look here before they use the address of their description as their id.
        enabled: mayFetchClients || known.length > 0,
        ack: "draft-02",
        allowFetch: (_ctx, clientId) => mayFetchClients && mayFetch(clientId),
        allowClient: () => true,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource(_ctx, _client, oneOf) {
          if (oneOf !== undefined && oneOf.length === 1 && oneOf[0] !== undefined) return oneOf[0];
          throw new errors.InvalidTarget("name exactly one resource: the address of the MCP endpoint");
        },
        useGrantedResource: () => true,
        getResourceServerInfo(ctx, resource) {
          const asked = ctx.oidc.params?.["resource"];
          const found = audience(resource);
          if (!found || (Array.isArray(asked) && asked.length !== 1))
            throw new errors.InvalidTarget("name exactly one resource: the address of an MCP endpoint here");
          return {
            scope: scopeOf[found.kind],
            audience: resource,
            accessTokenFormat: "jwt",
            jwt: { sign: { alg: "ES256" } },
          };
        },
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) =>
          send(
            ctx,
            logoutPage(new Markup(form), config.CONSOLE_URL === undefined ? [] : [config.CONSOLE_URL]),
          ),
        postLogoutSuccessSource: (ctx) => send(ctx, loggedOutPage()),
      },
    },
    renderError: (ctx, { error, error_description: description }: ErrorOut) =>
      send(ctx, errorPage(ctx.status, description ?? "The request could not be answered.", error)),
  };
}

/** A grant for an endpoint is good for the one request it was made for; one for the API is remembered with the login. */
async function loadExistingGrant(ctx: KoaContextWithOIDC) {
  const { client, session, result, provider, params } = ctx.oidc;
  const made = result?.consent?.grantId;
  if (made !== undefined) return provider.Grant.find(made);
  if (!client || !session?.accountId || !isForApi(params?.["resource"])) return undefined;
  if (client.clientId === consoleClientId) {
    const own = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    own.addOIDCScope("openid");
    own.addResourceScope(apiAudience, scopeOf.api);
    await own.save();
    return own;
  }
  const remembered = session.grantIdFor(client.clientId);
  const grant = remembered === undefined ? undefined : await provider.Grant.find(remembered);
  return grant?.accountId === session.accountId ? grant : undefined;
}

/** Whether the login that the browser has is still of a provider of ours, and satisfies the endpoint that is asked for. */
async function isGoodEnough(
  { oidc }: KoaContextWithOIDC,
  audience: (resource: string) => Audience | undefined,
  { logins, clock }: ProviderParts,
): Promise<boolean> {
  const asked = oidc.params?.["resource"];
  const found = typeof asked === "string" ? audience(asked) : undefined;
  const { accountId, loginTs } = oidc.session ?? {};
  if (accountId === undefined || loginTs === undefined) return true;
  const login = await logins.findStanding(accountId, loginTs);
  if (login === undefined) return false;
  return found?.kind !== "endpoint" || lackingIn(login, found.endpoint, clock.now()) === undefined;
}

const isForApi = (resource: unknown): boolean =>
  resource === apiAudience ||
  (Array.isArray(resource) && resource.length === 1 && resource[0] === apiAudience);

function send(ctx: KoaContextWithOIDC, { status, headers, body }: Page): void {
  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
}
