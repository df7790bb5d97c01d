import { CountersignError } from "@countersign/contracts";

/** A login that did not succeed, in words that may be recorded and shown. */
export class LoginFailed extends CountersignError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("login_failed", message, options);
  }
}

/** An answer to a login that this browser did not begin, or began too long ago. */
export class LoginUnknown extends CountersignError {
  constructor() {
    super("login_unknown", "This browser did not ask for this login, or took too long over it.");
  }
}

/** What is said in words of our own already, or that the provider did not confirm the login. */
export const loginFailed = (error: unknown): Error =>
  error instanceof CountersignError
    ? error
    : new LoginFailed("The identity provider did not confirm the login; try again.", { cause: error });
