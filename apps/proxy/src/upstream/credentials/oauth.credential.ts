import { bearer, type Credential, type Issued } from "./issued.js";
import type { Secrets } from "./secrets.js";
import type { OAuthSettings, Token } from "./token-request.js";

export type TokenFetch = (settings: OAuthSettings, clientSecret: string) => Promise<Token>;

/** A token is replaced this long before it expires, or a quarter of its life where that is less. */
export const aheadMsMax = 60_000;
/** After a failure the token endpoint is left alone for a moment; whoever asks meanwhile hears of the same failure. */
export const restMs = 1_000;

interface Held {
  readonly issued: Issued;
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** Access tokens by client credentials: one request at a time, ahead of expiry, and once where an upstream says 401. */
export class OAuthCredential implements Credential {
  #held: Held | undefined;
  #renewing: Promise<Issued> | undefined;
  #failure: { readonly error: unknown; readonly at: number } | undefined;

  constructor(
    private readonly settings: OAuthSettings,
    private readonly tools: {
      readonly secrets: Secrets;
      readonly fetchToken: TokenFetch;
      readonly now: () => number;
      /** Hears of renewals that failed while the token in hand still holds. */
      readonly failed: (error: unknown) => void;
      /** Hears of each that worked. */
      readonly renewed: () => void;
    },
  ) {}

  async issue(): Promise<Issued> {
    const now = this.tools.now();
    const held = this.#held;
    if (!held || now >= held.expiresAt) return this.#renew();
    // The token in hand still holds, so nobody waits; only `failed` hears where the renewal does not work out.
    if (now >= held.renewAt) this.#renew().catch(this.tools.failed);
    return held.issued;
  }

  async reissue(refused: Issued): Promise<Issued | undefined> {
    if (this.#held?.issued === refused) {
      this.#held = undefined;
      this.tools.secrets.forget(this.settings.clientSecret);
    }
    const now = await this.issue();
    return now === refused ? undefined : now;
  }

  #renew(): Promise<Issued> {
    const { now } = this.tools;
    const failure = this.#failure;
    if (failure && now() - failure.at < restMs) return Promise.reject(failure.error);
    this.#renewing ??= this.#fetch()
      .catch((error: unknown) => {
        this.#failure = { error, at: now() };
        throw error;
      })
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  async #fetch(): Promise<Issued> {
    const askedAt = this.tools.now();
    const secret = await this.tools.secrets.read(this.settings.clientSecret);
    const { value, lifetimeMs } = await this.tools.fetchToken(this.settings, secret);
    const issued = bearer(value);
    this.#failure = undefined;
    this.tools.renewed();
    this.#held = {
      issued,
      renewAt: askedAt + lifetimeMs - Math.min(aheadMsMax, lifetimeMs / 4),
      expiresAt: askedAt + lifetimeMs,
    };
    return issued;
  }
}
