import { Body, Controller, Get, Header, Param, Post, Req, Res, UseFilters } from "@nestjs/common";
import { apiAudience, CountersignError } from "@countersign/contracts";
import { Clock, Public } from "@countersign/service-kit";
import type { Request, Response } from "express";
import { Provider, errors } from "oidc-provider";
import { IdentityEvents } from "../identity-events.js";
import { LoginSteps } from "../interaction/login-steps.js";
import { PageErrors } from "../interaction/page-errors.js";
import { sendPage } from "../interaction/send-page.js";
import { loggedOutPage } from "../pages/pages.js";
import { Logins } from "../store/logins.js";
import { IdentityProviders } from "./identity-providers.js";
import { LoginFailed, LoginUnknown } from "./login-errors.js";
import { SamlLogout } from "./saml-logout.js";

/** Where identity providers send people back to. */
@Public()
@Controller("login/:provider")
@UseFilters(PageErrors)
export class LoginController {
  constructor(
    private readonly provider: Provider,
    private readonly identityProviders: IdentityProviders,
    private readonly loginSteps: LoginSteps,
    private readonly logins: Logins,
    private readonly samlLogout: SamlLogout,
    private readonly events: IdentityEvents,
    private readonly clock: Clock,
  ) {}

  @Get("callback")
  async finish(
    @Param("provider") id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const finished = await this.#witnessed(id, request, () =>
      this.identityProviders.finish(id, request, response),
    );
    const { login, interaction: uid } = finished;
    const interaction = await this.provider.Interaction.find(uid);
    if (interaction?.prompt.name !== "login") throw new errors.SessionNotFound("interaction not found");

    // The login counts only once it is evidence.
    await this.events.principalAuthenticated({
      ...login,
      ...(await this.#askedBy(interaction.params)),
      ...addressOf(request),
    });
    const at = Math.floor(this.clock.now().getTime() / 1_000);
    await this.logins.remember(login, at, finished);
    await this.loginSteps.finished(interaction, request, login.principal.id);
    const { amr, acr } = login.authentication;
    interaction.result = {
      login: {
        accountId: login.principal.id,
        ts: at,
        remember: false,
        ...(amr === undefined ? {} : { amr }),
        ...(acr === undefined ? {} : { acr }),
      },
    };
    await interaction.persist();
    response.redirect(303, interaction.returnTo);
  }

  /** SAML: the provider has the browser send a form from its own page. */
  @Post("callback")
  async receive(
    @Param("provider") id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const next = await this.#witnessed(id, request, () => {
      const saml = this.identityProviders.saml(id);
      if (!saml) throw new LoginFailed("This identity provider does not speak SAML.");
      return saml.receive(request, response);
    });
    response.redirect(303, next);
  }

  /** SAML: the provider has the browser of somebody who logged out there tell it here. */
  @Post("logout")
  async logOut(
    @Param("provider") id: string,
    @Body() form: { SAMLRequest?: unknown; RelayState?: unknown } | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const next = await this.#witnessed(id, request, () => this.samlLogout.take(id, form, this.clock.now()));
    if (next === undefined) sendPage(response, loggedOutPage());
    else response.redirect(303, next);
  }

  @Get("metadata")
  @Header("content-type", "application/samlmetadata+xml")
  metadata(@Param("provider") id: string): string {
    const saml = this.identityProviders.saml(id);
    if (!saml) throw new LoginFailed("This identity provider does not speak SAML.");
    return saml.metadata();
  }

  async #witnessed<T>(id: string, request: Request, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      // An answer to a question that this browser never asked says nothing about anybody; it is recorded as forged.
      if (!(error instanceof LoginUnknown)) {
        const reason = error instanceof CountersignError ? error.message : "the login failed";
        await this.events.authenticationFailed({
          reason,
          ...this.identityProviders.known(id),
          ...addressOf(request),
        });
      }
      throw error;
    }
  }

  /** Which client the login is for, and which endpoint, as far as the request says. */
  async #askedBy(params: Record<string, unknown>) {
    const { client_id: clientId, resource } = params;
    const client = typeof clientId === "string" ? await this.provider.Client.find(clientId) : undefined;
    const [, endpoint] =
      typeof resource === "string" && resource !== apiAudience
        ? (/\/mcp\/([a-z0-9-]+)$/.exec(resource) ?? [])
        : [];
    return {
      ...(client === undefined
        ? {}
        : {
            client: {
              id: client.clientId,
              ...(client.clientName === undefined ? {} : { name: client.clientName }),
            },
          }),
      ...(endpoint === undefined ? {} : { endpoint }),
    };
  }
}

const addressOf = ({ ip }: Request) => (ip === undefined ? {} : { clientAddress: ip });
