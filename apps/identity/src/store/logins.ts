import { authentication, principal } from "@countersign/contracts";
import type { DataSource } from "typeorm";
import { z } from "zod";
import { type UpstreamTokens, upstreamTokens } from "../login/oidc-tokens.js";
import type { Seals } from "../seals.js";
import { OidcStore } from "./oidc-store.js";

export const login = z.object({ principal, authentication });
/** A login, as the identity provider vouched for it at that moment. */
export type Login = z.infer<typeof login>;

/**
 * Longer than any session that it began: a day, which may begin an hour after the login and wait an hour to be approved.
 * Its groups are asked for again at each refresh.
 */
const keptSeconds = 27 * 3_600;
const purpose = "upstream tokens";

/**
 * What is known of each login, found by who and when, to the second. Another login of the same person, in another
 * browser or with other groups, is another login.
 */
export class Logins {
  readonly #store: OidcStore;
  readonly #tokens: OidcStore;
  readonly #providerSessions: OidcStore;

  constructor(
    private readonly dataSource: DataSource,
    private readonly seals: Seals,
    private readonly isConfigured: (providerId: string) => boolean,
  ) {
    this.#store = new OidcStore(dataSource, "Login");
    this.#tokens = new OidcStore(dataSource, "UpstreamTokens");
    this.#providerSessions = new OidcStore(dataSource, "ProviderSession");
  }

  async remember(
    entry: Login,
    at: number,
    more: {
      readonly tokens?: UpstreamTokens | undefined;
      readonly providerSession?: string | undefined;
    } = {},
  ): Promise<void> {
    const { principal, authentication } = entry;
    await this.#store.upsert(keyOf(principal.id, at), { login: entry }, keptSeconds);
    if (more.tokens) await this.rememberTokens(principal.id, at, more.tokens);
    if (more.providerSession !== undefined)
      await this.#providerSessions.upsert(
        `${authentication.provider} ${more.providerSession}`,
        { accountId: principal.id },
        keptSeconds,
      );
  }

  /** A login that something may still begin with: its provider has not been taken out of the configuration. */
  async findStanding(principalId: string, at: number): Promise<Login | undefined> {
    const found = await this.find(principalId, at);
    return found && this.isConfigured(found.authentication.provider) ? found : undefined;
  }

  /** A login as it was, whoever vouched for it. */
  async find(principalId: string, at: number): Promise<Login | undefined> {
    const row = await this.#store.find(keyOf(principalId, at));
    return row && login.parse(row["login"]);
  }

  async rememberTokens(principalId: string, at: number, tokens: UpstreamTokens): Promise<void> {
    const locked = this.seals.lock(purpose, tokens);
    await this.#tokens.upsert(keyOf(principalId, at), { locked }, keptSeconds);
  }

  async tokensOf(principalId: string, at: number): Promise<UpstreamTokens | undefined> {
    const row = await this.#tokens.find(keyOf(principalId, at));
    const opened = upstreamTokens.safeParse(this.seals.unlock(purpose, row?.["locked"]));
    return opened.success ? opened.data : undefined;
  }

  /** Lets one replica at a time do something with a login, since a provider's refresh token may be good only once. */
  exclusively<T>(principalId: string, at: number, act: () => Promise<T>): Promise<T> {
    return this.dataSource.transaction(async (manager) => {
      await manager.query("SELECT pg_advisory_xact_lock(hashtext($1))", [`login ${keyOf(principalId, at)}`]);
      return act();
    });
  }

  /** Whose login the provider calls by this name. */
  async accountOf(provider: string, providerSession: string): Promise<string | undefined> {
    return (await this.#providerSessions.find(`${provider} ${providerSession}`))?.accountId;
  }
}

const keyOf = (principalId: string, at: number): string => `${at} ${principalId}`;
