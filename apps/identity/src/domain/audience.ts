import { apiAudience, type Endpoint } from "@countersign/contracts";

/** What an access token can be for: exactly one of these. */
export type Audience =
  | { readonly kind: "endpoint"; readonly resource: string; readonly endpoint: Endpoint }
  | { readonly kind: "api"; readonly resource: string };

/** The scope each kind of audience understands; a client need not ask for it by name. */
export const scopeOf = { endpoint: "mcp", api: "api" } as const satisfies Record<Audience["kind"], string>;

export const resourceOf = (gatewayUrl: string, endpoint: string): string => `${gatewayUrl}/mcp/${endpoint}`;

/**
 * The audience that a resource indicator (RFC 8707) names. It is compared to the letter, as MCP clients and the proxy
 * do; undefined for anything that is not an endpoint we publish or our own API.
 */
export function audienceOf(
  resource: string,
  gatewayUrl: string,
  endpoints: Iterable<Endpoint>,
): Audience | undefined {
  if (resource === apiAudience) return { kind: "api", resource };
  for (const endpoint of endpoints) {
    if (resource === resourceOf(gatewayUrl, endpoint.name)) return { kind: "endpoint", resource, endpoint };
  }
  return undefined;
}

/** A client may ask for no scope at all, or for scopes from elsewhere; what its audience understands is always asked for. */
export const scopeWithDefaults = (asked: string | undefined): string =>
  [...new Set([...(asked?.split(" ") ?? []), ...Object.values(scopeOf)])].filter(Boolean).join(" ");
