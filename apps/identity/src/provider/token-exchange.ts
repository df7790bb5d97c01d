import type { WorkloadIssuer } from "@countersign/configuration";
import { type Authentication, CountersignError, type Principal } from "@countersign/contracts";
import type { Clock } from "@countersign/service-kit";
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from "jose";
import { Provider, errors, type TokenEndpointGrantContext } from "oidc-provider";
import { z } from "zod";
import { type Audience, scopeOf } from "../domain/audience.js";
import { authenticationOf, principalOf } from "../domain/principal.js";
import { justificationProblem } from "../domain/session-form.js";
import type { IdentityEvents } from "../identity-events.js";
import { discover } from "../login/discovery.js";
import type { SessionRequests } from "../session-requests.js";
import { durable } from "./access-tokens.js";
import { tokenExchange } from "./clients.js";

const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const subjectTokenTypes = [
  "urn:ietf:params:oauth:token-type:jwt",
  "urn:ietf:params:oauth:token-type:id_token",
  accessTokenType,
] as const;

const exchange = z.object({
  subject_token: z.string().min(1).max(16_384),
  subject_token_type: z.enum(subjectTokenTypes),
  requested_token_type: z.literal(accessTokenType).optional(),
  resource: z.string(),
  justification: z.string().optional(),
  duration_seconds: z.coerce.number().int().positive().optional(),
});
type Exchange = z.infer<typeof exchange>;

export interface ExchangeParts {
  readonly issuers: readonly WorkloadIssuer[];
  readonly audienceOf: (resource: string) => Audience | undefined;
  readonly events: IdentityEvents;
  readonly requests: SessionRequests;
  readonly clock: Clock;
}

class WorkloadRefused extends CountersignError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("workload_refused", message, options);
  }
}

/**
 * Lets a workload exchange the token of its own issuer for a session and an access token (RFC 8693): no browser, no
 * refresh token. The form parameter `justification` says why; without one, and where the endpoint asks for none in
 * particular, the workload's name stands in.
 */
export function registerTokenExchange(provider: Provider, parts: ExchangeParts): void {
  provider.registerGrantType(tokenExchange, (ctx) => exchangeToken(ctx, parts), [
    ...Object.keys(exchange.shape),
    "audience",
    "scope",
  ]);
}

async function exchangeToken(ctx: TokenEndpointGrantContext, parts: ExchangeParts): Promise<void> {
  const { client, provider } = ctx.oidc;
  const asked = exchange.safeParse(ctx.oidc.params);
  if (!asked.success)
    throw new errors.InvalidRequest(
      asked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  const audience = parts.audienceOf(asked.data.resource);
  if (audience?.kind !== "endpoint")
    throw new errors.InvalidTarget("resource must be the address of an MCP endpoint");

  const workloadClient = { id: client.clientId, ...(client.clientName ? { name: client.clientName } : {}) };
  const proof = await verify(asked.data.subject_token, parts.issuers).catch(async (error: unknown) => {
    const reason = error instanceof WorkloadRefused ? error.message : "the token could not be verified";
    await durable(
      parts.events.authenticationFailed({ reason, client: workloadClient, clientAddress: ctx.ip }),
    );
    throw new errors.InvalidGrant({ detail: reason, cause: error });
  });
  await durable(
    parts.events.principalAuthenticated({
      ...proof,
      client: workloadClient,
      endpoint: audience.endpoint.name,
      clientAddress: ctx.ip,
    }),
  );

  const sessionId = parts.clock.newId();
  const request = parts.requests.ask({
    sessionId,
    ...proof,
    client: workloadClient,
    endpoint: audience.endpoint.name,
    justification: justificationFor(asked.data, audience, proof.principal),
    ...(asked.data.duration_seconds === undefined ? {} : { durationSeconds: asked.data.duration_seconds }),
    clientAddress: ctx.ip,
  });
  await durable(request);
  const decision = await request;
  if (decision === undefined)
    throw new errors.TemporarilyUnavailable("nobody decided on the session in time; try again later");
  if (decision.status === "denied") throw new errors.AccessDenied(decision.reason);

  const { resource } = audience;
  const token = new provider.AccessToken({
    accountId: proof.principal.id,
    client,
    grantId: sessionId,
    gty: "token_exchange",
  });
  token.resourceServer = new provider.ResourceServer(resource, {
    scope: scopeOf.endpoint,
    audience: resource,
    accessTokenFormat: "jwt",
    jwt: { sign: { alg: "ES256" } },
  });
  token.scope = scopeOf.endpoint;
  const accessToken = await token.save();
  ctx.body = {
    access_token: accessToken,
    issued_token_type: accessTokenType,
    token_type: token.tokenType,
    expires_in: token.expiration,
    scope: token.scope,
  };
}

function justificationFor(
  { justification }: Exchange,
  { endpoint }: Extract<Audience, { kind: "endpoint" }>,
  principal: Principal,
): string {
  const { justificationPattern: pattern } = endpoint.session;
  if (justification === undefined && pattern === undefined) return `workload ${principal.id}`;
  const problem = justificationProblem(endpoint, justification);
  if (problem !== undefined) throw new errors.InvalidRequest(`justification: ${problem}`);
  return String(justification).trim();
}

/** Who the workload is, if its token is one of a configured issuer for us. */
async function verify(
  subjectToken: string,
  issuers: readonly WorkloadIssuer[],
): Promise<{ principal: Principal; authentication: Authentication }> {
  const issuer = issuers.find(({ issuer }) => issuer === issuerOf(subjectToken));
  if (!issuer) throw new WorkloadRefused("the token is not of a configured workload issuer");
  const claims = await claimsOf(subjectToken, issuer);
  return {
    principal: principalOf({
      kind: "workload",
      provider: issuer.id,
      claims,
      groupsClaim: issuer.groupsClaim,
      groupsAlways: issuer.groups,
    }),
    authentication: authenticationOf(issuer.id, claims),
  };
}

async function claimsOf(subjectToken: string, issuer: WorkloadIssuer): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(subjectToken, await keysOf(issuer), {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
      requiredClaims: ["sub", "exp", "iat"],
      clockTolerance: 5,
    });
    return payload;
  } catch (cause) {
    throw new WorkloadRefused(`the token is not valid for audience ${issuer.audience}`, { cause });
  }
}

const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

async function keysOf({ issuer, jwksUrl }: WorkloadIssuer): Promise<ReturnType<typeof createRemoteJWKSet>> {
  const url = jwksUrl ?? (await discover(issuer)).jwks_uri;
  const known = keySets.get(url);
  if (known) return known;
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: 3_000, cooldownDuration: 5_000 });
  keySets.set(url, keys);
  return keys;
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
