import type { Authentication, Principal } from "@countersign/contracts";
import type { Clock } from "@countersign/service-kit";
import { type Client, errors, type TokenEndpointGrantContext } from "oidc-provider";
import { z } from "zod";
import { type Audience, scopeOf } from "../domain/audience.js";
import { justificationProblem } from "../domain/session-form.js";
import type { IdentityEvents } from "../identity-events.js";
import type { SessionRequests } from "../session-requests.js";
import { durable } from "./access-tokens.js";

export const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";

/** What every grant without a browser may say beside its proof. */
export const aboutSession = {
  justification: z.string().optional(),
  duration_seconds: z.coerce.number().int().positive().optional(),
};
type AboutSession = z.infer<z.ZodObject<typeof aboutSession>>;

export interface MachineParts {
  readonly audienceOf: (resource: string) => Audience | undefined;
  readonly events: IdentityEvents;
  readonly requests: SessionRequests;
  readonly clock: Clock;
}

export interface Proof {
  readonly principal: Principal;
  readonly authentication: Authentication;
}

type EndpointAudience = Extract<Audience, { kind: "endpoint" }>;

/** The parameters of a grant, or an error that names what is wrong with them. */
export function parametersOf<T extends z.ZodType>(schema: T, ctx: TokenEndpointGrantContext): z.infer<T> {
  const asked = schema.safeParse(ctx.oidc.params);
  if (asked.success) return asked.data;
  throw new errors.InvalidRequest(
    asked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
  );
}

/** The endpoint that `resource` names. */
export function endpointFor(resource: string, { audienceOf }: MachineParts): EndpointAudience {
  const audience = audienceOf(resource);
  if (audience?.kind !== "endpoint")
    throw new errors.InvalidTarget("resource must be the address of an MCP endpoint");
  return audience;
}

/**
 * Asks for a session for whoever proved themselves without a browser, and answers with an access token for it: there is
 * nothing to refresh it with, since the proof can be brought again.
 */
export async function openSession(
  ctx: TokenEndpointGrantContext,
  parts: MachineParts,
  { proof, audience, about }: { proof: Proof; audience: EndpointAudience; about: AboutSession },
): Promise<void> {
  const { client } = ctx.oidc;
  const named = { id: client.clientId, ...(client.clientName ? { name: client.clientName } : {}) };
  const { name: endpoint } = audience.endpoint;
  const where = { client: named, endpoint, clientAddress: ctx.ip };
  await durable(parts.events.principalAuthenticated({ ...proof, ...where }));

  const sessionId = parts.clock.newId();
  const request = parts.requests.ask({
    sessionId,
    ...proof,
    ...where,
    justification: justificationFor(about, audience, proof.principal, client),
    ...(about.duration_seconds === undefined ? {} : { durationSeconds: about.duration_seconds }),
  });
  await durable(request);
  const decision = await request;
  if (decision === undefined)
    throw new errors.TemporarilyUnavailable("nobody decided on the session in time; try again later");
  // There is no browser to wait in, so the broker says no where somebody would have to approve it.
  if (decision.status === "waiting")
    throw new errors.AccessDenied("another person has to approve this session");
  if (decision.status === "denied") throw new errors.AccessDenied(decision.reason);
  await answer(ctx, { sessionId, accountId: proof.principal.id, resource: audience.resource });
}

async function answer(
  ctx: TokenEndpointGrantContext,
  given: { sessionId: string; accountId: string; resource: string },
): Promise<void> {
  const { client, provider } = ctx.oidc;
  const token = new provider.AccessToken({
    accountId: given.accountId,
    client,
    grantId: given.sessionId,
    gty: "machine",
  });
  token.resourceServer = new provider.ResourceServer(given.resource, {
    scope: scopeOf.endpoint,
    audience: given.resource,
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

/** Without a reason, and where the endpoint asks for none in particular, who acts stands in for it. */
function justificationFor(
  { justification }: AboutSession,
  { endpoint }: EndpointAudience,
  principal: Principal,
  client: Client,
): string {
  const { justificationPattern: pattern } = endpoint.session;
  if (justification === undefined && pattern === undefined)
    return principal.kind === "human" ? `agent ${client.clientId}` : `workload ${principal.id}`;
  const problem = justificationProblem(endpoint, justification);
  if (problem !== undefined) throw new errors.InvalidRequest(`justification: ${problem}`);
  return String(justification).trim();
}
