import type { IncomingHttpHeaders } from "node:http";

/** What MCP clients send beyond what any page may. */
const requestHeaders = [
  "authorization",
  "content-type",
  "accept",
  "mcp-protocol-version",
  "mcp-session-id",
  "last-event-id",
  "mcp-method",
  "mcp-name",
];
const parameterHeader = /^mcp-param-[a-z0-9!#$%&'*+.^_`|~-]+$/;
const answerHeaders = ["mcp-session-id", "mcp-protocol-version", "www-authenticate", "retry-after"];
/** A change of what is allowed takes hold in browsers after this long. */
const preflightSecondsMax = 600;

/**
 * What tells a browser that a page of a listed origin may read the answer (Fetch, section 3.3). Never with credentials:
 * the token is the client's to send, and a cookie would mean nothing here. Undefined for any other origin, whose page
 * learns nothing.
 */
export function originHeaders(
  { origin }: IncomingHttpHeaders,
  allowed: readonly string[],
): Record<string, string> | undefined {
  if (origin === undefined || !allowed.includes(origin)) return undefined;
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": answerHeaders.join(", "),
    vary: "origin",
  };
}

/** The answer to a browser that asks whether it may call; it is no call and reaches nothing. */
export function preflightHeaders(
  headers: IncomingHttpHeaders,
  allowed: readonly string[],
  forwardHeaders: readonly string[],
): Record<string, string> | undefined {
  const ofOrigin = originHeaders(headers, allowed);
  if (!ofOrigin) return undefined;
  // Those of parameters have names that their tools chose, so only who asks knows them.
  const asked = (headers["access-control-request-headers"] ?? "").split(",").map((name) => name.trim());
  const others = asked.filter((name) => parameterHeader.test(name) || forwardHeaders.includes(name));
  return {
    ...ofOrigin,
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": [...requestHeaders, ...others].join(", "),
    "access-control-max-age": String(preflightSecondsMax),
  };
}

/** Documents about how to log in are for everybody; clients ask for them with the revision that they speak. */
export const metadataPreflight = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET",
  "access-control-allow-headers": "mcp-protocol-version",
  "access-control-max-age": String(preflightSecondsMax),
};
