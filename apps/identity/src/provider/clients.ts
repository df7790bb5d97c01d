import { lookup } from "node:dns/promises";
import type { KeyedClient } from "@countersign/configuration";
import { type AllClientMetadata, type ClientMetadata, type Configuration, errors } from "oidc-provider";
import { type IdentityConfig, readPublicKeys } from "../config.js";
import { metadataProblem, takenMetadata } from "../domain/client-metadata.js";
import { isPublicAddress } from "../domain/public-address.js";

export const tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
export const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
export const clientCredentials = "client_credentials";
export const workloadClientId = "countersign-workload";
export const consoleClientId = "countersign-console";
/** The first half of the id of a client that acts for itself. */
export const clientProvider = "client";

/** Clients that are part of Countersign, or that its configuration names. Everybody else's registers itself. */
export function ownClients(config: IdentityConfig, keyed: readonly KeyedClient[]): ClientMetadata[] {
  const { CONSOLE_URL: console } = config;
  return [
    {
      client_id: workloadClientId,
      client_name: "Workload",
      grant_types: [tokenExchange, jwtBearer],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: "none",
    },
    ...keyed.map((client): ClientMetadata => ({
      client_id: client.id,
      client_name: client.title ?? client.id,
      grant_types: [clientCredentials, tokenExchange, jwtBearer],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: "private_key_jwt",
      ...(client.jwksFile === undefined ? {} : { jwks: readPublicKeys(client.jwksFile) }),
      ...(client.jwksUrl === undefined ? {} : { jwks_uri: client.jwksUrl }),
    })),
    ...(console === undefined
      ? []
      : [
          {
            client_id: consoleClientId,
            client_name: "Countersign console",
            grant_types: ["authorization_code"],
            response_types: ["code" as const],
            redirect_uris: [`${console}/callback`],
            post_logout_redirect_uris: [`${console}/`],
            token_endpoint_auth_method: "none" as const,
          },
        ]),
  ];
}

/** Holds every self-registered client, and every one that a metadata document describes, to our rules. */
export const clientRules = (own: readonly ClientMetadata[]): Configuration["extraClientMetadata"] => {
  const ownIds = new Set(own.map(({ client_id: id }) => id));
  return {
    // The library calls the validator once per property of ours, whether a client sends it or not.
    properties: ["countersign"],
    validator(_ctx, _key, _value, metadata: AllClientMetadata) {
      if (ownIds.has(String(metadata.client_id))) return;
      const problem = metadataProblem(metadata);
      if (problem !== undefined) throw new errors.InvalidClientMetadata(problem);
      const taken = takenMetadata(metadata);
      for (const key of Object.keys(metadata)) delete metadata[key];
      Object.assign(metadata, taken);
    },
  };
};

/** As long as the library waits for the document itself; whoever serves a name must not hold a login up for longer. */
const lookupMsMax = 2_500;

type Addresses = readonly { readonly address: string }[];

/**
 * Whether a client's metadata document may be fetched: only from a host all of whose addresses are public, and are told
 * in time. The library looks at the address once more when it has connected, takes no redirect, and bounds time and size.
 */
export async function mayFetch(
  clientId: string,
  resolve: (hostname: string) => Promise<Addresses> = (hostname) => lookup(hostname, { all: true }),
): Promise<boolean> {
  const { hostname, port } = new URL(clientId);
  if (port !== "" || hostname.startsWith("[")) return false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Addresses>((done) => {
    timer = setTimeout(done, lookupMsMax, []);
  });
  const found = resolve(hostname).catch((): Addresses => []);
  const addresses = await Promise.race([found, late]).finally(() => clearTimeout(timer));
  return addresses.length > 0 && addresses.every(({ address }) => isPublicAddress(address));
}
