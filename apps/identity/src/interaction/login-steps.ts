import { Inject, Injectable } from "@nestjs/common";
import { CONFIG } from "@countersign/service-kit";
import type { Request, Response } from "express";
import { Provider } from "oidc-provider";
import { z } from "zod";
import type { IdentityConfig } from "../config.js";
import { audienceOf } from "../domain/audience.js";
import { nameToShow } from "../domain/client-metadata.js";
import type { LoginDemand } from "../login/connection.js";
import { IdentityProviders } from "../login/identity-providers.js";
import type { Page } from "../pages/page.js";
import { loginPage } from "../pages/login-pages.js";
import { consoleClientId } from "../provider/clients.js";
import { Seals } from "../seals.js";
import { EndpointsView } from "../views/endpoints.view.js";
import { FormRefused } from "./authorizations.js";
import { type AskingClient, ClientConsents } from "./client-consents.js";

const purpose = "client";
const sealed = z.object({ uid: z.string(), clientId: z.string() });

type Details = Awaited<ReturnType<Provider["interactionDetails"]>>;

const asked = z.object({
  client_id: z.string(),
  redirect_uri: z.string().optional(),
  resource: z.unknown(),
  login_hint: z.string().optional().catch(undefined),
});

/** What happens between an authorization request and the company's identity provider. */
@Injectable()
export class LoginSteps {
  constructor(
    private readonly provider: Provider,
    private readonly identityProviders: IdentityProviders,
    private readonly consents: ClientConsents,
    private readonly seals: Seals,
    private readonly endpoints: EndpointsView,
    @Inject(CONFIG) private readonly config: IdentityConfig,
  ) {}

  /** The page that asks whether to log in for this client, and where; the only provider's id where nothing is to ask. */
  async choose(details: Details, request: Request, email?: string): Promise<Page | string> {
    const params = asked.parse(details.params);
    const client = clientOf(params);
    const { identityProviders } = this;
    const hint = email ?? params.login_hint;
    const byEmail = hint === undefined ? undefined : identityProviders.forEmail(hint);
    const providers = byEmail ? [byEmail] : identityProviders.list();
    const [first, ...others] = providers;
    if (first && others.length === 0 && email === undefined && (await this.#isAgreed(request, client)))
      return first.id;
    const found = await this.provider.Client.find(client.clientId);
    return loginPage({
      uid: details.uid,
      clientName: nameToShow(client.clientId, found?.clientName),
      redirectUri: client.redirectUri,
      providers,
      asksForEmail: identityProviders.anyDomains && !byEmail,
      email,
      seal: this.seals.seal(purpose, { uid: details.uid, clientId: client.clientId }),
    });
  }

  /** Sends the person to the provider they chose, once they agreed to be logged in for this client. */
  async begin(
    id: string,
    details: Details,
    seal: unknown,
    request: Request,
    response: Response,
  ): Promise<void> {
    const params = asked.parse(details.params);
    const client = clientOf(params);
    if (!(await this.#isAgreed(request, client))) {
      const opened = sealed.safeParse(this.seals.open(purpose, seal));
      if (!opened.success || opened.data.uid !== details.uid || opened.data.clientId !== client.clientId)
        throw new FormRefused("Nobody agreed yet to be logged in for this application.");
      await this.consents.give(request, response, client);
    }
    await this.identityProviders.begin(id, this.#demand(details.uid, params), request, response);
  }

  /** The person who agreed has a name now. */
  async finished(
    details: { params: Record<string, unknown> },
    request: Request,
    accountId: string,
  ): Promise<void> {
    const params = asked.safeParse(details.params);
    if (params.success) await this.consents.sign(request, clientOf(params.data), accountId);
  }

  #demand(interaction: string, { resource, login_hint: loginHint }: z.infer<typeof asked>): LoginDemand {
    const [only] = Array.isArray(resource) ? (resource as unknown[]) : [resource];
    const audience =
      typeof only === "string" ? audienceOf(only, this.config.GATEWAY_URL, this.endpoints.all()) : undefined;
    const session = audience?.kind === "endpoint" ? audience.endpoint.session : undefined;
    return {
      interaction,
      loginHint,
      ageSecondsMax: session?.authenticationAgeSecondsMax,
      mfa: session?.mfaRequired,
    };
  }

  async #isAgreed(request: Request, client: AskingClient): Promise<boolean> {
    // The console is part of Countersign and nobody can register it.
    if (client.clientId === consoleClientId) return true;
    // Each device is another one, and its code was typed in by somebody who may have been told to.
    return client.redirectUri !== undefined && this.consents.isGiven(request, client);
  }
}

const clientOf = (params: z.infer<typeof asked>): AskingClient => ({
  clientId: params.client_id,
  redirectUri: params.redirect_uri,
});
