import { type KeyedClient } from "@countersign/configuration";
import { errors, type Provider } from "oidc-provider";
import { z } from "zod";
import { principalOf } from "../domain/principal.js";
import { clientCredentials, clientProvider } from "./clients.js";
import {
  aboutSession,
  endpointFor,
  type MachineParts,
  openSession,
  parametersOf,
} from "./machine-session.js";

const grant = z.object({ resource: z.string(), ...aboutSession });

/** Lets a configured machine that proved itself with its own key have sessions in its own name (RFC 6749 §4.4). */
export function registerClientCredentials(
  provider: Provider,
  parts: MachineParts & { readonly clients: readonly KeyedClient[] },
): void {
  provider.registerGrantType(
    clientCredentials,
    async (ctx) => {
      const about = parametersOf(grant, ctx);
      const audience = endpointFor(about.resource, parts);
      const client = parts.clients.find(({ id }) => id === ctx.oidc.client.clientId);
      if (!client) throw new errors.UnauthorizedClient("only configured clients act for themselves");
      const principal = principalOf({
        kind: "workload",
        provider: clientProvider,
        subject: client.id,
        groups: client.groups,
        name: client.title,
      });
      const proof = { principal, authentication: { provider: clientProvider, amr: ["swk"] } };
      await openSession(ctx, parts, { proof, audience, about });
    },
    [...Object.keys(grant.shape), "scope"],
  );
}
