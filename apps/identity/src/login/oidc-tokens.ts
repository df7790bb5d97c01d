import type { OidcProvider } from "@countersign/configuration";
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";
import { type Claims, claimAt } from "../domain/claims.js";
import { ProviderUnreachable, type ProviderMetadata } from "./discovery.js";
import { LoginFailed } from "./login-errors.js";

/** What a provider gave us to ask it again with. */
export const upstreamTokens = z.object({
  accessToken: z.string(),
  refreshToken: z.string().optional(),
  /** Where the provider stated the groups at the login; what it leaves out there later is taken away. */
  groupsFrom: z.enum(["idToken", "userInfo"]).optional(),
});
export type UpstreamTokens = z.infer<typeof upstreamTokens>;

/** Signatures that are believed of a provider; none of them is a shared secret or nothing. */
export const signatureAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];

const answerMsMax = 5_000;
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

/** The keys at an address, kept between tokens. */
export function keysAt(url: string): ReturnType<typeof createRemoteJWKSet> {
  const known = keySets.get(url);
  if (known) return known;
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: 5_000, cooldownDuration: 5_000 });
  keySets.set(url, keys);
  return keys;
}

/**
 * The claims of an ID token. Everything rests on its signature, which the login library leaves to the connection
 * (OpenID Connect Core 3.1.3.7, 6); so it is checked here.
 */
export async function idTokenClaims(
  provider: OidcProvider,
  metadata: ProviderMetadata,
  idToken: string,
  requiredClaims: string[],
): Promise<JWTPayload> {
  const { payload } = await jwtVerify(idToken, keysAt(metadata.jwks_uri), {
    issuer: provider.issuer,
    audience: provider.clientId,
    algorithms: signatureAlgorithms,
    requiredClaims: ["sub", "exp", "iat", ...requiredClaims],
    clockTolerance: 5,
  });
  return payload;
}

/** Claims that the provider keeps out of its ID tokens; undefined where it has no such endpoint or will not tell. */
export async function userInfo(
  { issuer, userinfo_endpoint: endpoint }: ProviderMetadata,
  accessToken: string,
  subject: string,
): Promise<Claims | undefined> {
  if (endpoint === undefined) return undefined;
  const response = await fetch(endpoint, {
    headers: { authorization: `Bearer ${accessToken}` },
    signal: AbortSignal.timeout(answerMsMax),
    redirect: "error",
  }).catch((cause: unknown) => {
    throw new ProviderUnreachable(issuer, { cause });
  });
  if (!response.ok || !response.headers.get("content-type")?.includes("json")) return undefined;
  const claims = z.looseObject({ sub: z.string() }).parse(await response.json());
  // OpenID Connect Core 5.3.2: an answer about somebody else must not be used.
  if (claims.sub !== subject) throw new LoginFailed("The identity provider answered about another person.");
  return claims;
}

const refreshed = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  id_token: z.string().optional(),
});

const refusedAnswer = z.object({ error: z.string().optional() }).catch({});

/** What a provider says of a person now. */
export type Renewed =
  | { readonly status: "vouched"; readonly claims: Claims; readonly tokens: UpstreamTokens }
  /** It does not vouch for the person any more. */
  | { readonly status: "refused" }
  /** It says nothing that bears on groups. */
  | { readonly status: "silent"; readonly tokens: UpstreamTokens };

/** Asks a provider again about a person who logged in there. Errors: ProviderUnreachable, LoginFailed. */
export async function renew(
  provider: OidcProvider,
  metadata: ProviderMetadata,
  clientSecret: string,
  subject: string,
  given: UpstreamTokens,
): Promise<Renewed> {
  let tokens = given;
  let claims: Claims = {};
  let stated = false;
  if (given.refreshToken !== undefined) {
    const response = await fetch(metadata.token_endpoint, {
      method: "POST",
      headers: { authorization: basic(provider.clientId, clientSecret), accept: "application/json" },
      body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: given.refreshToken }),
      signal: AbortSignal.timeout(answerMsMax),
      redirect: "error",
    }).catch((cause: unknown) => {
      throw new ProviderUnreachable(provider.issuer, { cause });
    });
    // Only this answer is about the person; any other one is about ourselves or about the provider (RFC 6749 §5.2).
    if (!response.ok) {
      const { error } = refusedAnswer.parse(await response.json().catch(() => ({})));
      if (error === "invalid_grant") return { status: "refused" };
      throw new ProviderUnreachable(provider.issuer);
    }
    const answer = refreshed.parse(await response.json());
    tokens = {
      ...given,
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token ?? given.refreshToken,
    };
    if (answer.id_token !== undefined) {
      claims = await idTokenClaims(provider, metadata, answer.id_token, []);
      stated = given.groupsFrom === "idToken";
    }
    if (claims["sub"] !== undefined && claims["sub"] !== subject) return { status: "refused" };
  }
  if (claimAt(claims, provider.groupsClaim) === undefined) {
    const more = await userInfo(metadata, tokens.accessToken, subject);
    if (more !== undefined && given.groupsFrom === "userInfo") stated = true;
    claims = { ...more, ...claims };
  }
  // Some providers leave the claim out for whoever is in no group; where they said it before, that is an answer.
  return stated || claimAt(claims, provider.groupsClaim) !== undefined
    ? { status: "vouched", claims, tokens }
    : { status: "silent", tokens };
}

/** RFC 6749 §2.3.1: both halves are form-encoded first. */
const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`;
