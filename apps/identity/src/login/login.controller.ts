import { Controller, Get, Param, Req, Res, UseFilters } from "@nestjs/common";
import { apiAudience, CountersignError } from "@countersign/contracts";
import { Clock, Public } from "@countersign/service-kit";
import type { Request, Response } from "express";
import { Provider, errors } from "oidc-provider";
import { IdentityEvents } from "../identity-events.js";
import { PageErrors } from "../interaction/page-errors.js";
import { Logins } from "../store/logins.js";
import { type FinishedLogin, IdentityProviders, LoginUnknown } from "./identity-providers.js";

/** Where identity providers send people back to. */
@Public()
@Controller("login")
@UseFilters(PageErrors)
export class LoginController {
  constructor(
    private readonly provider: Provider,
    private readonly identityProviders: IdentityProviders,
    private readonly logins: Logins,
    private readonly events: IdentityEvents,
    private readonly clock: Clock,
  ) {}

  @Get(":provider/callback")
  async finish(
    @Param("provider") id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const address = request.ip === undefined ? {} : { clientAddress: request.ip };
    const { login, interaction: uid } = await this.#finished(id, request, response, address);
    const interaction = await this.provider.Interaction.find(uid);
    if (interaction?.prompt.name !== "login") throw new errors.SessionNotFound("interaction not found");

    // The login counts only once it is evidence.
    await this.events.principalAuthenticated({
      ...login,
      ...(await this.#askedBy(interaction.params)),
      ...address,
    });
    const at = Math.floor(this.clock.now().getTime() / 1_000);
    await this.logins.remember(login, at);
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

  async #finished(
    id: string,
    request: Request,
    response: Response,
    address: { clientAddress?: string },
  ): Promise<FinishedLogin> {
    try {
      return await this.identityProviders.finish(id, request, response);
    } catch (error) {
      // An answer to a question that this browser never asked says nothing about anybody.
      if (!(error instanceof LoginUnknown)) {
        const reason = error instanceof CountersignError ? error.message : "the login failed";
        await this.events.authenticationFailed({ reason, provider: id, ...address });
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
