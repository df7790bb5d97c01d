import { Body, Controller, Get, Param, Post, Query, Req, Res, UseFilters } from "@nestjs/common";
import { Public } from "@countersign/service-kit";
import type { Request, Response } from "express";
import { Provider } from "oidc-provider";
import { Authorizations } from "./authorizations.js";
import { LoginSteps } from "./login-steps.js";
import { PageErrors } from "./page-errors.js";
import { sendPage } from "./send-page.js";

/** The pages between an authorization request and its answer. */
@Public()
@Controller("interaction/:uid")
@UseFilters(PageErrors)
export class InteractionController {
  constructor(
    private readonly provider: Provider,
    private readonly loginSteps: LoginSteps,
    private readonly authorizations: Authorizations,
  ) {}

  @Get()
  async show(
    @Param("uid") uid: string,
    @Query("again") again: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const details = await this.provider.interactionDetails(request, response);
    if (details.prompt.name !== "login")
      return sendPage(response, await this.authorizations.ask(uid, again !== undefined, request, response));
    const next = await this.loginSteps.choose(details, request);
    if (typeof next === "string") response.redirect(303, `/interaction/${details.uid}/login/${next}`);
    else sendPage(response, next);
  }

  /** Finds the provider by e-mail address; a page with a link, since forms must not lead to other sites. */
  @Post("email")
  async email(
    @Body() form: { email?: unknown } | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const details = await this.provider.interactionDetails(request, response);
    const email = typeof form?.email === "string" ? form.email : "";
    const next = await this.loginSteps.choose(details, request, email);
    if (typeof next !== "string") sendPage(response, next);
  }

  @Get("login/:provider")
  async logIn(
    @Param("provider") id: string,
    @Query("seal") seal: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const details = await this.provider.interactionDetails(request, response);
    await this.loginSteps.begin(id, details, seal, request, response);
  }

  /** Asked by the page that waits for an approval; answers when there is news, or after some seconds without. */
  @Get("session")
  async decided(
    @Param("uid") uid: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const decided = await this.authorizations.isDecided(uid, request, response);
    response.set("cache-control", "no-store").json({ decided });
  }

  @Post("session")
  async session(
    @Param("uid") uid: string,
    @Body() form: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    sendPage(response, await this.authorizations.openSession(uid, form, request, response));
  }

  @Post("consent")
  async consent(
    @Param("uid") uid: string,
    @Body() form: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    sendPage(response, await this.authorizations.consent(uid, form, request, response));
  }

  @Post("cancel")
  async cancel(
    @Param("uid") uid: string,
    @Body() form: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    sendPage(response, await this.authorizations.cancel(uid, form, request, response));
  }
}
