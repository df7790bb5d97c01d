import type { INestApplication } from "@nestjs/common";
import type { Express, NextFunction, Request, RequestHandler, Response } from "express";
import { rateLimit } from "express-rate-limit";
import { Provider } from "oidc-provider";
import type { IdentityConfig } from "./config.js";
import { IdentityEvents } from "./identity-events.js";
import { paths } from "./provider/paths.js";

/** Puts the authorization server before Nest's own routes, which keep the pages and health. */
export function mountProvider(app: INestApplication, config: IdentityConfig): void {
  const express = app.getHttpAdapter().getInstance() as Express;
  const callback = app.get(Provider).callback();
  express.disable("x-powered-by");
  if (config.TRUST_PROXY !== undefined) express.set("trust proxy", config.TRUST_PROXY);
  express.use(pinOrigin(config.ISSUER_URL));
  const events = app.get(IdentityEvents);
  const recorded =
    (reason: string) =>
    ({ ip }: Request): void => {
      // The refusal stands, whether or not its record can be written.
      events
        .authenticationFailed({ reason, ...(ip === undefined ? {} : { clientAddress: ip }) })
        .catch(() => undefined);
    };
  express.use(
    limited(
      60_000,
      config.REQUESTS_PER_MINUTE,
      ({ path }) => isOperational(path),
      recorded("too many requests from this address"),
    ),
  );
  express.use(paths.registration, openToBrowsers);
  express.use(
    limited(
      3_600_000,
      config.REGISTRATIONS_PER_HOUR,
      ({ path }) => path !== paths.registration,
      recorded("registration: too many registrations from this address"),
    ),
  );
  express.use((request: Request, response: Response, next: NextFunction) => {
    if (!isProviderPath(request.path)) return next();
    callback(request, response).catch(next);
  });
}

/**
 * The addresses that the authorization server names, and whether its cookies are secure, follow from the issuer alone.
 * What a request says of its host is not asked, so nobody can have a page or a document point elsewhere.
 */
export function pinOrigin(issuer: string): RequestHandler {
  const { host, protocol } = new URL(issuer);
  return (request, _response, next) => {
    const address = request.ip;
    request.headers.host = host;
    request.headers["x-forwarded-host"] = host;
    request.headers["x-forwarded-proto"] = protocol.slice(0, -1);
    if (address === undefined) delete request.headers["x-forwarded-for"];
    else request.headers["x-forwarded-for"] = address;
    next();
  };
}

const providerPaths = new Set<string>(Object.values(paths));

const isProviderPath = (path: string): boolean =>
  providerPaths.has(path) ||
  path === "/.well-known/openid-configuration" ||
  path === "/.well-known/oauth-authorization-server" ||
  path.startsWith(`${paths.authorization}/`) ||
  path.startsWith(`${paths.code_verification}/`) ||
  path.startsWith(`${paths.end_session}/`);

const isOperational = (path: string): boolean => ["/healthz", "/readyz", "/metrics"].includes(path);

/** Clients that run in a browser register from whatever origin they are at; no cookie is involved. */
const openToBrowsers: RequestHandler = (request, response, next) => {
  response.set("access-control-allow-origin", "*");
  if (request.method !== "OPTIONS") return next();
  response.set({
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type, mcp-protocol-version",
    "access-control-max-age": "3600",
  });
  response.status(204).end();
};

/** Refuses what is too much, and tells the first time in each window: a record of each would be a flood of its own. */
const limited = (
  windowMs: number,
  limit: number,
  skip: (request: Request) => boolean,
  onFirst: (request: Request) => void,
): RequestHandler =>
  rateLimit({
    windowMs,
    limit,
    skip,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    // Our own setting decides whom to believe about addresses; the library's guesses about it are noise.
    validate: false,
    handler(request, response) {
      const { used } = (request as Request & { rateLimit: { used: number } }).rateLimit;
      if (used === limit + 1) onFirst(request);
      response.status(429).json({
        error: "temporarily_unavailable",
        error_description: "too many requests from this address; try again later",
      });
    },
  });
