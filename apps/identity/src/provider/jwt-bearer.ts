import type { IdentityProvider, OidcProvider, WorkloadIssuer } from "@countersign/configuration";
import { decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import { errors, type Provider, type TokenEndpointGrantContext } from "oidc-provider";
import { z } from "zod";
import { groupsIn } from "../domain/groups.js";
import { authenticationOf, principalOf } from "../domain/principal.js";
import { discover } from "../login/discovery.js";
import { keysAt, signatureAlgorithms } from "../login/oidc-tokens.js";
import type { OneTime } from "../store/one-time.js";
import { jwtBearer } from "./clients.js";
import {
  aboutSession,
  endpointFor,
  type MachineParts,
  openSession,
  parametersOf,
  type Proof,
} from "./machine-session.js";
import { believed, issuerOf, ProofRefused, provedWorkload, tokenCharactersMax } from "./workload-tokens.js";

/** Identity Assertion JWT Authorization Grant, draft-ietf-oauth-identity-assertion-authz-grant. */
const idJagType = "oauth-id-jag+jwt";
const assertionSecondsMax = 10 * 60;

const grant = z.object({
  assertion: z.string().min(1).max(tokenCharactersMax),
  resource: z.string().optional(),
  ...aboutSession,
});

export interface JwtBearerParts extends MachineParts {
  readonly issuers: readonly WorkloadIssuer[];
  readonly identityProviders: readonly IdentityProvider[];
  /** What such assertions have to be for: this authorization server. */
  readonly ownIssuer: string;
  readonly used: Pick<OneTime, "put">;
}

/**
 * The JWT bearer grant (RFC 7523), for two kinds of assertion: the token of a workload's own issuer, and an ID-JAG, with
 * which the company's identity provider lets one client act for one person at one endpoint without a browser. Of the
 * latter both remain: the session is the person's, and names the client.
 */
export function registerJwtBearer(provider: Provider, parts: JwtBearerParts): void {
  provider.registerGrantType(
    jwtBearer,
    async (ctx) => {
      const about = parametersOf(grant, ctx);
      if (typeOf(about.assertion) === idJagType) return actForPerson(ctx, parts, about);
      const audience = endpointFor(about.resource ?? "", parts);
      const proof = await provedWorkload(about.assertion, parts.issuers);
      await openSession(ctx, parts, { proof, audience, about });
    },
    [...Object.keys(grant.shape), "scope"],
  );
}

async function actForPerson(
  ctx: TokenEndpointGrantContext,
  parts: JwtBearerParts,
  about: z.infer<typeof grant>,
): Promise<void> {
  const { client } = ctx.oidc;
  const { proof, resource } = await believed(async () => {
    // The assertion says whom it is for, and a client without a key of its own could be anybody.
    if (client.clientAuthMethod !== "private_key_jwt")
      throw new ProofRefused("only clients with a key of their own may act for a person");
    return provedPerson(about.assertion, client.clientId, parts);
  });
  if (about.resource !== undefined && about.resource !== resource)
    throw new errors.InvalidTarget("the assertion is for another resource");
  await openSession(ctx, parts, { proof, audience: endpointFor(resource, parts), about });
}

const idJag = z.looseObject({
  sub: z.string().min(1),
  jti: z.string().min(1),
  client_id: z.string(),
  resource: z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)]),
});

async function provedPerson(
  assertion: string,
  clientId: string,
  { identityProviders, ownIssuer, used }: JwtBearerParts,
): Promise<{ proof: Proof; resource: string }> {
  const provider = identityProviders.find(
    (candidate): candidate is OidcProvider =>
      candidate.type === "oidc" && candidate.assertionGrant && candidate.issuer === issuerOf(assertion),
  );
  if (!provider)
    throw new ProofRefused("the assertion is not of an identity provider that may let agents act");
  const claims = idJag.safeParse(await claimsOf(assertion, provider, ownIssuer));
  if (!claims.success) throw new ProofRefused("the assertion lacks sub, jti, client_id or resource");
  const { sub, jti, client_id: meantFor, resource } = claims.data;
  if (meantFor !== clientId) throw new ProofRefused("the assertion is for another client");
  if (!(await used.put(`${provider.id} ${jti}`, {}, 2 * assertionSecondsMax)))
    throw new ProofRefused("the assertion was used already");
  return {
    resource,
    proof: {
      principal: principalOf({
        kind: "human",
        provider: provider.id,
        subject: sub,
        groups: groupsIn(claims.data, provider.groupsClaim, provider.groupNames),
        name: claims.data["name"],
        email: claims.data["email"],
      }),
      authentication: authenticationOf(provider.id, claims.data, provider.mfaContexts),
    },
  };
}

async function claimsOf(assertion: string, provider: OidcProvider, ownIssuer: string): Promise<JWTPayload> {
  const { jwks_uri: url } = await discover(provider.issuer);
  try {
    const { payload } = await jwtVerify(assertion, keysAt(url), {
      typ: idJagType,
      issuer: provider.issuer,
      audience: ownIssuer,
      algorithms: signatureAlgorithms,
      requiredClaims: ["exp", "iat"],
      maxTokenAge: assertionSecondsMax,
      clockTolerance: 5,
    });
    return payload;
  } catch (cause) {
    throw new ProofRefused("the assertion is not valid for this authorization server", { cause });
  }
}

function typeOf(assertion: string): string | undefined {
  try {
    return decodeProtectedHeader(assertion).typ;
  } catch {
    return undefined;
  }
}
