import type { Request, Response } from "express";
import passport from "passport";
import { loginFailed, LoginFailed } from "./login-errors.js";

/** Libraries bring types of their own for the same requests; what they do is the same. */
type Strategy = { authenticate(...given: never[]): unknown };

const answerMsMax = 10_000;
const instance = new passport.Passport();

/** Lets a strategy send the browser to its provider. Errors: LoginFailed. */
export function sendToProvider(
  strategy: Strategy,
  options: object,
  request: Request,
  response: Response,
): Promise<void> {
  return new Promise((resolve, reject) => {
    response.once("finish", resolve);
    instance.authenticate(strategy, { session: false, ...options }, (error: unknown) =>
      reject(loginFailed(error)),
    )(request, response, reject);
  });
}

/** What a strategy makes of the provider's answer, within bounds. Errors: LoginFailed. */
export async function takeAnswer(
  strategy: Strategy,
  request: Request,
  response: Response,
): Promise<{ user: unknown; info: unknown }> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new LoginFailed("The identity provider did not answer.")), answerMsMax);
      instance.authenticate(
        strategy,
        { session: false },
        (error: unknown, user?: unknown, info?: unknown) => {
          if (error || !user) reject(loginFailed(error));
          else resolve({ user, info });
        },
      )(request, response, reject);
    });
  } finally {
    clearTimeout(timer);
  }
}
