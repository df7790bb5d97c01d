import type { Request, Response } from "express";
import type { Login } from "../store/logins.js";
import type { UpstreamTokens } from "./oidc-tokens.js";

/** What a login is for, and how good it has to be. */
export interface LoginDemand {
  readonly interaction: string;
  /** How long ago the person may have proved themselves at the provider. */
  readonly ageSecondsMax?: number | undefined;
  readonly mfa?: boolean | undefined;
  readonly loginHint?: string | undefined;
}

export interface FinishedLogin {
  readonly login: Login;
  /** The interaction that the login was for. */
  readonly interaction: string;
  /** What the provider calls its own login session, for when it ends it. */
  readonly providerSession?: string | undefined;
  /** With which the provider can be asked again. */
  readonly tokens?: UpstreamTokens | undefined;
}

/** One identity provider, by whichever protocol. */
export interface Connection {
  /** Sends the browser to the provider. Errors: LoginFailed, ProviderUnreachable. */
  begin(demand: LoginDemand, request: Request, response: Response): Promise<void>;
  /** Takes the provider's answer in the browser that asked. Errors: LoginFailed, LoginUnknown, ProviderUnreachable. */
  finish(request: Request, response: Response): Promise<FinishedLogin>;
}
