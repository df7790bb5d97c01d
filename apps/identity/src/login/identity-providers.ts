import type { IdentityProvider } from "@countersign/configuration";
import type { Request, Response } from "express";
import { readSecret } from "../config.js";
import type { Connection, FinishedLogin, LoginDemand } from "./connection.js";
import { LoginFailed } from "./login-errors.js";
import type { LoginStates } from "./login-state.js";
import { OidcConnection } from "./oidc.connection.js";
import { SamlConnection, type SamlMemory } from "./saml.connection.js";

type Listed = Pick<IdentityProvider, "id" | "title">;

/** The company's identity providers, side by side. */
export class IdentityProviders {
  readonly #connections: ReadonlyMap<string, OidcConnection | SamlConnection>;

  /** Reads the providers' secrets and certificates. Errors: SecretUnreadable. */
  constructor(
    private readonly providers: readonly IdentityProvider[],
    ownOrigin: string,
    states: LoginStates,
    memory: SamlMemory,
  ) {
    this.#connections = new Map(
      providers.map((provider) => [
        provider.id,
        provider.type === "oidc"
          ? new OidcConnection(provider, readSecret(provider.clientSecret), ownOrigin, states)
          : new SamlConnection(provider, ownOrigin, states, memory),
      ]),
    );
  }

  list(): readonly Listed[] {
    return this.providers;
  }

  /** The id, if it is one; what else somebody wrote into an address is not to be repeated. */
  known(id: string): { provider?: string } {
    return this.#connections.has(id) ? { provider: id } : {};
  }

  /** The provider for people with this e-mail address, where one is configured for its domain. */
  forEmail(address: string): Listed | undefined {
    const domain = address.slice(address.lastIndexOf("@") + 1).toLowerCase();
    return this.providers.find(({ emailDomains }) => emailDomains.includes(domain));
  }

  /** Whether there is anything to choose by e-mail address. */
  get anyDomains(): boolean {
    return this.providers.some(({ emailDomains }) => emailDomains.length > 0);
  }

  async begin(id: string, demand: LoginDemand, request: Request, response: Response): Promise<void> {
    await this.#connection(id).begin(demand, request, response);
  }

  async finish(id: string, request: Request, response: Response): Promise<FinishedLogin> {
    return this.#connection(id).finish(request, response);
  }

  oidc(id: string): OidcConnection | undefined {
    const connection = this.#connections.get(id);
    return connection instanceof OidcConnection ? connection : undefined;
  }

  saml(id: string): SamlConnection | undefined {
    const connection = this.#connections.get(id);
    return connection instanceof SamlConnection ? connection : undefined;
  }

  #connection(id: string): Connection {
    const connection = this.#connections.get(id);
    if (!connection) throw new LoginFailed("There is no such identity provider.");
    return connection;
  }
}
