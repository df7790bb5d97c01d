import { type JsonRpcMessage, progressTokenOf } from "../../steps/parse-message.js";

type Call = Extract<JsonRpcMessage, { kind: "request" }>;

const subscriptionKey = "io.modelcontextprotocol/subscriptionId";

/** Which of the requests under way a server's message is about, where it says so; as a key of its id. */
export function relatedRequestKey(
  message: Exclude<JsonRpcMessage, { kind: "response" }>,
  underWay: readonly Call[],
): string | undefined {
  const params = (message.params ?? {}) as { progressToken?: unknown; _meta?: Record<string, unknown> };
  const subscription = params._meta?.[subscriptionKey];
  if (typeof subscription === "string" || typeof subscription === "number") {
    return JSON.stringify(subscription);
  }
  const { progressToken } = params;
  if (message.method !== "notifications/progress" || progressToken === undefined) return undefined;
  const call = underWay.find((call) => progressTokenOf(call) === progressToken);
  return call && JSON.stringify(call.id);
}
