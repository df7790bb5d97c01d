import type { IncomingHttpHeaders } from "node:http";
import { AnswerRefused } from "../answers/read-answer.js";
import type { Call } from "../call.js";
import type { Gateway } from "../gateway.js";

const passedOn = ["retry-after", "allow"];

/**
 * The headers that the client gets: few, and the MCP session's id bound to the principal that opened it. Each can carry
 * a number as well as a message can; what cannot be told masked is left out, or refused where nothing works without it.
 */
export function answerHeaders(
  { mcpSessionIds }: Gateway,
  { admitted: { endpoint, session, scanner } }: Call,
  received: IncomingHttpHeaders,
): Record<string, string> {
  const headers = passedOn.flatMap((name): [string, string][] => {
    const value = received[name];
    return typeof value === "string" && scanner.mask(value) === value ? [[name, value]] : [];
  });
  const upstreamId = received["mcp-session-id"];
  if (typeof upstreamId === "string") {
    if (scanner.mask(upstreamId) !== upstreamId) {
      throw new AnswerRefused(
        "its Mcp-Session-Id holds card data, which may neither be altered nor handed out",
      );
    }
    headers.push(["mcp-session-id", mcpSessionIds.bind(upstreamId, endpoint.name, session.principal.id)]);
  }
  return Object.fromEntries(headers);
}
