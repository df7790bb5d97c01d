import { hash } from "node:crypto";
import { CountersignError } from "@countersign/contracts";
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose";

export class TokenRefused extends CountersignError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("token_invalid", message, options);
  }
}

const clockToleranceSeconds = 5;
/** How long a signature that was verified counts for the very same token; a key that is withdrawn stops counting then. */
const verifiedMsMax = 60_000;
const verifiedTokensMax = 10_000;

type Claims = JWTPayload & { sub: string };

/**
 * Verifies access tokens (RFC 9068) against the issuer's published keys: signature, type, issuer, audience and expiry.
 * Keys are fetched as any resource server does, cached, and fetched again when a token names an unknown one.
 */
export class TokenVerifier {
  readonly #issuer: string;
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  /** Tokens verified a moment ago, by digest: clients send the same one with every call. */
  readonly #verified = new Map<string, { readonly claims: Claims; readonly until: number }>();

  constructor(options: { issuer: string; jwksUrl?: string }) {
    this.#issuer = options.issuer;
    this.#keys = createRemoteJWKSet(new URL(options.jwksUrl ?? `${options.issuer}/jwks`), {
      timeoutDuration: 3_000,
      cooldownDuration: 1_000,
    });
  }

  /** The token's claims, or TokenRefused; an unreachable issuer is refused too, since an unproven token opens nothing. */
  async verify(token: string, audience: string): Promise<Claims> {
    const digest = hash("sha256", `${audience} ${token}`, "base64");
    const known = this.#verified.get(digest);
    if (known && known.until > Date.now()) return known.claims;
    const claims = await this.#verify(token, audience);
    this.#remember(digest, claims);
    return claims;
  }

  #remember(digest: string, claims: Claims): void {
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size < verifiedTokensMax) break;
      this.#verified.delete(oldest);
    }
    const until = Math.min(Date.now() + verifiedMsMax, (claims.exp ?? 0) * 1_000);
    this.#verified.delete(digest);
    this.#verified.set(digest, { claims, until });
  }

  async #verify(token: string, audience: string): Promise<Claims> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer: this.#issuer,
        audience,
        typ: "at+jwt",
        algorithms: ["ES256", "EdDSA", "RS256", "PS256"],
        requiredClaims: ["sub", "exp", "iat", "jti"],
        clockTolerance: clockToleranceSeconds,
      });
      if (typeof payload.sub !== "string")
        throw new TokenRefused("The access token names nobody; log in again.");
      return { ...payload, sub: payload.sub };
    } catch (cause) {
      if (cause instanceof TokenRefused) throw cause;
      const expired = cause instanceof errors.JWTExpired;
      throw new TokenRefused(
        expired
          ? "The access token has expired; log in again."
          : "The access token is not valid here; log in again.",
        { cause },
      );
    }
  }
}
