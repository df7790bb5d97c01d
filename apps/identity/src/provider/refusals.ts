import type { Logger } from "@countersign/service-kit";
import type { errors, KoaContextWithOIDC, Provider } from "oidc-provider";
import type { IdentityEvents } from "../identity-events.js";

const detailCharactersMax = 200;

/** Answers that a well-behaved client meets while it waits or before it logs in. */
const expected: ReadonlySet<string> = new Set(["authorization_pending", "slow_down", "login_required"]);

const refusals = [
  "authorization.error",
  "grant.error",
  "registration_create.error",
  "revocation.error",
  "introspection.error",
  "device_authorization.error",
  "code_verification.error",
  "device_resume.error",
] as const;

/**
 * Every refusal of the authorization server is evidence (PCI DSS 10.2.1.4): which request, by which client, from where,
 * and why; recorded before it is answered. If the record cannot be written, the refusal still stands.
 */
export function recordRefusals(
  provider: Provider,
  { events, log }: { events: IdentityEvents; log: Logger },
): void {
  const underWay = new WeakMap<object, Promise<void>>();
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void => {
    const { client, route } = ctx.oidc;
    const reason = `${route}: ${wordsOf(error)}`;
    log.info(
      {
        code: error.error,
        reason,
        clientId: client?.clientId,
        ...(error.cause ? { error: error.cause } : {}),
      },
      "refused",
    );
    if (expected.has(error.error) || error.status === 503) return;
    const evidence = events
      .authenticationFailed({
        reason,
        ...(client
          ? { client: { id: client.clientId, ...(client.clientName ? { name: client.clientName } : {}) } }
          : {}),
        clientAddress: ctx.ip,
      })
      .catch((cause: unknown) => log.error({ error: cause, reason }, "a refusal could not be recorded"));
    underWay.set(ctx.req, evidence);
  };
  // The library's types list fewer events than it has.
  for (const event of refusals) provider.on(event as "grant.error", refused);
  provider.use(async (ctx, next) => {
    await next();
    await underWay.get(ctx.req);
  });
  provider.on("server_error", (ctx, error) => {
    log.error({ error, route: ctx.oidc?.route }, "the authorization server failed");
  });
}

/** The library's own words; what of the request they may repeat is cut down to what cannot be a secret or a card. */
function wordsOf(error: errors.OIDCProviderError): string {
  const detail = (error.error_detail ?? error.error_description ?? "")
    .normalize("NFKC")
    .replace(/[^\p{L}\p{M}\p{Nd} .,:;()'"/_-]/gu, "?")
    .replace(/\p{Nd}{5,}/gu, "…")
    .replace(/[\w-]{25,}/g, "…")
    .slice(0, detailCharactersMax);
  return detail ? `${error.error} (${detail})` : error.error;
}
