import { once } from "node:events";
import { createServer, type Server } from "node:http";
import express from "express";
import { loginRoutes } from "./login.js";
import { createProvider, type ProviderOptions } from "./provider.js";
import { generateSigningKeys } from "./signing-keys.js";

export interface DevIdpOptions extends Omit<ProviderOptions, "issuer" | "signingKeys" | "groupsOf"> {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The origin people and services reach it by; the address it listens on unless told otherwise. */
  readonly issuer?: string;
  readonly signingKeys?: ProviderOptions["signingKeys"];
  /** Logs in whom `login_hint` names, with no page. */
  readonly autoLogin?: boolean;
  readonly allowNonLoopback?: boolean;
}

export interface RunningDevIdp {
  readonly issuer: string;
  /** Moves a person to other groups; what they were in before is forgotten. */
  setGroups(sub: string, groups: readonly string[]): void;
  stop(): Promise<void>;
}

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

/** Starts the development identity provider. It refuses to be reachable from other machines unless told to be. */
export async function startDevIdp(options: DevIdpOptions): Promise<RunningDevIdp> {
  const { host = "127.0.0.1", port, autoLogin = false, allowNonLoopback = false } = options;
  if (!loopback.has(host) && !allowNonLoopback) {
    throw new Error(
      `This identity provider asks for no password, so it does not listen on ${host}. ` +
        "Use HOST=127.0.0.1, or set DEV_IDP_ALLOW_NON_LOOPBACK=1 inside a closed network.",
    );
  }

  const server = createServer();
  server.listen(port, host);
  await once(server, "listening");
  const issuer = options.issuer ?? `http://${host}:${boundPort(server)}`;
  const signingKeys = options.signingKeys ?? (await generateSigningKeys());
  const moved = new Map<string, readonly string[]>();
  const provider = createProvider({ ...options, issuer, signingKeys, groupsOf: (sub) => moved.get(sub) });

  const app = express();
  app.disable("x-powered-by");
  app.get("/healthz", (_request, response) => {
    response.json({ status: "ok" });
  });
  app.use(loginRoutes(provider, autoLogin));
  app.use(provider.callback());
  server.on("request", app);

  return {
    issuer,
    setGroups: (sub, groups) => void moved.set(sub, groups),
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function boundPort(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null)
    throw new Error("the server is not listening on a port");
  return address.port;
}
