import { Body, Controller, Header, HttpCode, Param, Post, Req } from "@nestjs/common";
import { ApiError, Public } from "@countersign/service-kit";
import type { Request } from "express";
import { IdentityEvents } from "../identity-events.js";
import { BackChannelLogout } from "./back-channel-logout.js";
import { IdentityProviders } from "./identity-providers.js";
import { LoginFailed } from "./login-errors.js";

/** What identity providers tell us themselves. */
@Public()
@Controller("login/:provider/backchannel-logout")
export class BackChannelLogoutController {
  constructor(
    private readonly backChannelLogout: BackChannelLogout,
    private readonly identityProviders: IdentityProviders,
    private readonly events: IdentityEvents,
  ) {}

  /** A person logged out there, or may not log in any more (OpenID Connect Back-Channel Logout 1.0). */
  @Post()
  @HttpCode(200)
  @Header("cache-control", "no-store")
  async take(
    @Param("provider") id: string,
    @Body() form: { logout_token?: unknown } | undefined,
    @Req() { ip }: Request,
  ): Promise<object> {
    try {
      await this.backChannelLogout.take(id, form?.logout_token);
      return {};
    } catch (error) {
      if (!(error instanceof LoginFailed)) throw error;
      await this.events.authenticationFailed({
        reason: `backchannel-logout: ${error.message}`,
        ...this.identityProviders.known(id),
        ...(ip === undefined ? {} : { clientAddress: ip }),
      });
      throw new ApiError(400, "invalid_request", error.message);
    }
  }
}
