/* oxlint-disable oxc/no-async-endpoint-handlers -- Express 5 passes a rejected promise on to the error handler. */
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import { errors, type Provider } from "oidc-provider";
import { accountNamed } from "./accounts.js";
import { renderErrorPage, renderLoginPage } from "./pages.js";
import { sessionCookie } from "./provider.js";

/** The login page and its form; with `autoLogin` a known `login_hint` needs neither. */
export function loginRoutes(provider: Provider, autoLogin: boolean): Router {
  const router = express.Router();

  // Whoever logs in is asked who they are each time, so that one browser can be several people one after another.
  router.use("/auth", forgetSession);

  router.get("/login/:uid", async (request, response) => {
    const { uid, params } = await provider.interactionDetails(request, response);
    if (autoLogin && accountNamed(params["login_hint"])) {
      return logIn(provider, String(params["login_hint"]), request, response);
    }
    response.set("Cache-Control", "no-store").type("html").send(renderLoginPage(uid));
  });

  router.post("/login/:uid", express.urlencoded({ extended: false }), async (request, response) => {
    const { login }: { login?: unknown } = request.body ?? {};
    const account = accountNamed(login);
    if (!account) {
      response.status(400).type("text").send("There is no such account. Post login=<account>.\n");
      return;
    }
    await logIn(provider, account.sub, request, response);
  });

  router.use("/login", ((error: unknown, _request, response, next) => {
    if (!(error instanceof errors.OIDCProviderError)) return next(error);
    // Most often a login page that was left open for too long.
    response.status(400).type("html").send(renderErrorPage(error.error, error.error_description));
  }) satisfies ErrorRequestHandler);

  return router;
}

const logIn = (provider: Provider, accountId: string, request: Request, response: Response) =>
  provider.interactionFinished(request, response, {
    // What a provider reports after a password and a second factor; applications that insist on one can be tried.
    login: { accountId, amr: ["pwd", "mfa"], remember: false },
  });

const forgetSession: RequestHandler = (request, _response, next) => {
  const cookies = request.headers.cookie?.split("; ");
  request.headers.cookie = cookies?.filter((cookie) => !cookie.startsWith(sessionCookie)).join("; ");
  next();
};
