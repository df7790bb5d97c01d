import { Body, Controller, Get, Param, Post, Req, Res, UseFilters } from "@nestjs/common";
import { Public } from "@countersign/service-kit";
import type { Request, Response } from "express";
import { Provider } from "oidc-provider";
import { IdentityProviders } from "../login/identity-providers.js";
import { chooseProviderPage } from "../pages/pages.js";
import { Authorizations } from "./authorizations.js";
import { PageErrors } from "./page-errors.js";
import { sendPage } from "./send-page.js";

/** The pages between an authorization request and its answer. */
@Public()
@Controller("interaction/:uid")
@UseFilters(PageErrors)
export class InteractionController {
  constructor(
    private readonly provider: Provider,
    private readonly identityProviders: IdentityProviders,
    private readonly authorizations: Authorizations,
  ) {}

  @Get()
  async show(@Param("uid") uid: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { prompt } = await this.provider.interactionDetails(request, response);
    if (prompt.name !== "login")
      return sendPage(response, await this.authorizations.ask(uid, request, response));
    const [first, ...others] = this.identityProviders.list();
    if (first && others.length === 0) response.redirect(303, `/interaction/${uid}/login/${first.id}`);
    else sendPage(response, chooseProviderPage(uid, this.identityProviders.list()));
  }

  @Get("login/:provider")
  async logIn(
    @Param("provider") id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { uid } = await this.provider.interactionDetails(request, response);
    await this.identityProviders.begin(id, uid, request, response);
  }

  @Post("session")
  async session(
    @Param("uid") uid: string,
    @Body() form: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const page = await this.authorizations.openSession(uid, form, request, response);
    if (page) sendPage(response, page);
  }

  @Post("consent")
  consent(
    @Param("uid") uid: string,
    @Body() form: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.authorizations.consent(uid, form, request, response);
  }

  @Post("cancel")
  cancel(
    @Param("uid") uid: string,
    @Body() form: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.authorizations.cancel(uid, form, request, response);
  }
}
