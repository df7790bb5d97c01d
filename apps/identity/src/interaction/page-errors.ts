import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from "@nestjs/common";
import { LOG, type Logger, LogUnavailable } from "@countersign/service-kit";
import type { Request, Response } from "express";
import { errors } from "oidc-provider";
import { GroupsIncomplete } from "../domain/groups.js";
import { IdentityEvents } from "../identity-events.js";
import { ProviderUnreachable } from "../login/discovery.js";
import { LoginFailed, LoginUnknown } from "../login/login-errors.js";
import { errorPage } from "../pages/pages.js";
import { FormRefused } from "./authorizations.js";
import { sendPage } from "./send-page.js";

/** People get a page that says what to do; what went wrong inside stays in the log. */
@Catch()
export class PageErrors implements ExceptionFilter {
  constructor(
    private readonly events: IdentityEvents,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const { status, message, code } = this.#answer(error);
    if (status >= 500) this.log.error({ error, code }, "a page failed");
    else this.log.info({ error, code }, "a page was refused");
    if (isForged(error)) await this.#record(http.getRequest<Request>(), code);
    if (!response.headersSent) sendPage(response, errorPage(status, message, code));
  }

  #answer(error: unknown): { status: number; message: string; code: string } {
    if (error instanceof errors.SessionNotFound)
      return {
        status: 400,
        message: "This page has expired, or belongs to another browser.",
        code: "expired",
      };
    if (error instanceof LogUnavailable)
      return {
        status: 503,
        message:
          "Evidence cannot be written right now, so no access can be given. Try again in a few minutes.",
        code: error.code,
      };
    if (error instanceof ProviderUnreachable)
      return { status: 503, message: "The identity provider does not answer.", code: error.code };
    if (
      error instanceof LoginFailed ||
      error instanceof LoginUnknown ||
      error instanceof GroupsIncomplete ||
      error instanceof FormRefused
    )
      return { status: 403, message: error.message, code: error.code };
    if (error instanceof HttpException)
      return { status: error.getStatus(), message: "The request could not be read.", code: "request" };
    return { status: 500, message: "Something failed here. It is not your fault.", code: "internal" };
  }

  /** The refusal stands, whether or not its record can be written. */
  async #record({ ip, path }: Request, code: string): Promise<void> {
    // What stands in the address was chosen by whoever sent it; only our own words of it are repeated.
    const page = /^\/(?:interaction|login)\/[^/]+(\/(?:session|consent|cancel|login|callback|email))?/.exec(
      path,
    );
    await this.events
      .authenticationFailed({
        reason: `${page?.[1]?.slice(1) ?? "page"}: ${code}`,
        ...(ip === undefined ? {} : { clientAddress: ip }),
      })
      .catch((error: unknown) => this.log.error({ error, code }, "a refusal could not be recorded"));
  }
}

/** Refusals that are recorded nowhere else, and that nobody meets who follows our pages in time. */
const isForged = (error: unknown): boolean =>
  error instanceof FormRefused || error instanceof LoginUnknown || error instanceof errors.SessionNotFound;
