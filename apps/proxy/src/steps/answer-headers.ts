import type { IncomingHttpHeaders } from "node:http";
import type { Call } from "../call.js";
import type { Gateway } from "../gateway.js";

const passedOn = ["retry-after", "allow"];

/** The headers that the client gets: few, and the MCP session's id bound to the principal that opened it. */
export function answerHeaders(
  { mcpSessionIds }: Gateway,
  { admitted: { endpoint, session } }: Call,
  received: IncomingHttpHeaders,
): Record<string, string> {
  const headers = passedOn.flatMap((name): [string, string][] => {
    const value = received[name];
    return typeof value === "string" ? [[name, value]] : [];
  });
  const upstreamId = received["mcp-session-id"];
  if (typeof upstreamId === "string") {
    headers.push(["mcp-session-id", mcpSessionIds.bind(upstreamId, endpoint.name, session.principal.id)]);
  }
  return Object.fromEntries(headers);
}
