import { errors, type Provider } from "oidc-provider";
import type { DataSource } from "typeorm";
import type { IdentityConfig } from "../config.js";
import type { IdentityEvents } from "../identity-events.js";
import { requireRoomForClient } from "../store/oidc-store.js";
import { durable } from "./access-tokens.js";
import { paths } from "./paths.js";

interface RegistrationParts {
  readonly events: IdentityEvents;
  readonly dataSource: DataSource;
  readonly config: IdentityConfig;
}

/** A registration is answered once it is evidence. */
export function recordRegistrations(
  provider: Provider,
  { events, dataSource, config }: RegistrationParts,
): void {
  const registered = new WeakMap<object, Promise<void>>();
  provider.on("registration_create.success", (ctx, client) => {
    const { clientId, clientName, redirectUris = [] } = client;
    const evidence = events.clientRegistered({
      client: { id: clientId, ...(clientName === undefined ? {} : { name: clientName }) },
      redirectUris: [...redirectUris],
      clientAddress: ctx.ip,
    });
    // Somebody waits for it below; until then it must not count as an unhandled rejection.
    evidence.catch(() => undefined);
    registered.set(ctx.req, evidence);
  });
  provider.use(async (ctx, next) => {
    try {
      if (ctx.path === paths.registration && ctx.method === "POST")
        await requireRoomForClient(dataSource, config.CLIENTS_MAX);
      await next();
      const evidence = registered.get(ctx.req);
      if (evidence) await durable(evidence);
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) throw error;
      ctx.status = error instanceof errors.TemporarilyUnavailable ? 503 : error.status;
      ctx.body = { error: error.error, error_description: error.error_description };
    }
  });
}
