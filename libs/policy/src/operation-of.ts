import type { Operation } from "./request.js";

/**
 * Methods that only carry the protocol: a live session is enough for them. Lists are among them because a list shows
 * names and no data; what may be read or called is decided when it is.
 */
const protocolMethods: ReadonlySet<string> = new Set([
  "initialize",
  "ping",
  "server/discover",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "prompts/list",
  "logging/setLevel",
  "subscriptions/listen",
  "tasks/get",
  "tasks/list",
  "tasks/result",
  "tasks/update",
  "tasks/cancel",
]);

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * What policy is asked about for a JSON-RPC method, or `undefined` for plain protocol (notifications too). A method
 * that nobody knows is an operation of its own, so that it is denied unless a policy permits it. A missing name
 * becomes the empty name, which no policy names.
 */
export const operationOf = (method: string, params: unknown): Operation | undefined => {
  if (protocolMethods.has(method) || method.startsWith("notifications/")) return undefined;
  const given = isRecord(params) ? params : {};
  switch (method) {
    case "tools/call":
      return { kind: "tool", name: text(given["name"]) };
    case "resources/read":
    case "resources/subscribe":
    case "resources/unsubscribe":
      return { kind: "resource", uri: text(given["uri"]) };
    case "prompts/get":
      return { kind: "prompt", name: text(given["name"]) };
    case "completion/complete": {
      const ref = isRecord(given["ref"]) ? given["ref"] : {};
      return ref["type"] === "ref/resource"
        ? { kind: "resource", uri: text(ref["uri"]) }
        : { kind: "prompt", name: text(ref["name"]) };
    }
  }
  return { kind: "method", name: method };
};
