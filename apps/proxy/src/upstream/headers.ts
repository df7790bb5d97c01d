import type { IncomingHttpHeaders } from "node:http";
import type { Endpoint } from "@countersign/contracts";

/** The headers of MCP itself that travel upstream. Never among them: Authorization, cookies, anything hop by hop. */
const forwarded = [
  "accept",
  "content-type",
  "mcp-protocol-version",
  "last-event-id",
  "mcp-method",
  "mcp-name",
];
const forwardedPrefix = "mcp-param-";
const neverForwarded = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "host",
  "connection",
  "content-length",
  "mcp-session-id",
]);

/** The headers of a request that go on with it: MCP's own and the endpoint's allow-list. */
export function clientHeaders(
  received: IncomingHttpHeaders,
  upstream: Endpoint["upstream"],
): Record<string, string> {
  const headers: Record<string, string> = {};
  const listed = upstream.transport === "stdio" ? [] : upstream.forwardHeaders;
  const allowed = new Set([...forwarded, ...listed.map((name) => name.toLowerCase())]);
  for (const [name, value] of Object.entries(received)) {
    if (neverForwarded.has(name) || typeof value !== "string") continue;
    if (allowed.has(name) || name.startsWith(forwardedPrefix)) headers[name] = value;
  }
  return headers;
}

/** The same with the gateway's own. The credential comes later. */
export function upstreamHeaders(
  received: IncomingHttpHeaders,
  upstream: Endpoint["upstream"],
  upstreamSessionId: string | undefined,
): Record<string, string> {
  const headers = clientHeaders(received, upstream);
  headers["accept-encoding"] = "identity";
  if (upstreamSessionId !== undefined) headers["mcp-session-id"] = upstreamSessionId;
  return headers;
}
