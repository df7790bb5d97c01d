import type { WorkloadIssuer } from "@countersign/configuration";
import type { Provider } from "oidc-provider";
import { z } from "zod";
import { tokenExchange } from "./clients.js";
import {
  aboutSession,
  accessTokenType,
  endpointFor,
  type MachineParts,
  openSession,
  parametersOf,
} from "./machine-session.js";
import { provedWorkload, tokenCharactersMax } from "./workload-tokens.js";

const exchange = z.object({
  subject_token: z.string().min(1).max(tokenCharactersMax),
  subject_token_type: z.enum([
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
    accessTokenType,
  ]),
  requested_token_type: z.literal(accessTokenType).optional(),
  resource: z.string(),
  ...aboutSession,
});

/**
 * Lets a workload exchange the token of its own issuer for a session and an access token (RFC 8693): no browser, no
 * refresh token. The form parameter `justification` says why; without one, and where the endpoint asks for none in
 * particular, the workload's name stands in.
 */
export function registerTokenExchange(
  provider: Provider,
  parts: MachineParts & { readonly issuers: readonly WorkloadIssuer[] },
): void {
  provider.registerGrantType(
    tokenExchange,
    async (ctx) => {
      const about = parametersOf(exchange, ctx);
      const audience = endpointFor(about.resource, parts);
      const proof = await provedWorkload(about.subject_token, parts.issuers);
      await openSession(ctx, parts, { proof, audience, about });
    },
    [...Object.keys(exchange.shape), "audience", "scope"],
  );
}
