import { operationOf, type PolicyDecision } from "@countersign/policy";
import type { Admitted } from "../exchange.js";
import { Refusal } from "../refusal.js";
import type { JsonRpcMessage } from "./parse-message.js";

export interface Decision {
  readonly effect: "allow" | "hold";
  readonly policies: string[];
  readonly bundleVersion: string;
}

/**
 * Asks policy what becomes of a message: forbidden (thrown, with the reason), allowed, or allowed after approval.
 * Plain protocol needs only the live session that it came with.
 */
export function decide(admitted: Admitted, message: JsonRpcMessage, now: Date): Decision {
  const { engine, endpoint, session, toolOf } = admitted;
  const bundleVersion = engine.version;
  const asked = message.kind === "request" ? operationOf(message.method, message.params) : undefined;
  if (!asked) return { effect: "allow", policies: [], bundleVersion };
  const tool = asked.kind === "tool" ? toolOf(asked.name) : undefined;
  const operation = asked.kind === "tool" ? { ...asked, annotations: tool?.annotations } : asked;
  const question = {
    principal: session.principal,
    client: session.client,
    endpoint: endpoint.name,
    operation,
    arguments: operation.kind === "tool" ? argumentsOf(message) : undefined,
  };
  const called = engine.decide({ action: "call", ...question }, now);
  if (!called.allowed) {
    throw new Refusal(
      "forbidden_by_policy",
      `${whatIs(operation)} is forbidden by policy${because(called)}.`,
      {
        policies: called.policies,
      },
    );
  }
  if (tool?.changedTo !== undefined) {
    throw new Refusal(
      "tool_changed",
      `${whatIs(operation)} is not what it was when it was pinned; it waits until an administrator accepts its definition ${tool.changedTo}.`,
      { policies: called.policies },
    );
  }
  const unattended = engine.decide({ action: "callUnattended", ...question }, now);
  return {
    effect: unattended.allowed ? "allow" : "hold",
    policies: [...called.policies, ...unattended.policies],
    bundleVersion,
  };
}

const argumentsOf = (message: JsonRpcMessage): unknown =>
  message.kind === "request" && typeof message.params === "object" && message.params !== null
    ? (message.params as { arguments?: unknown }).arguments
    : undefined;

const whatIs = (operation: NonNullable<ReturnType<typeof operationOf>>): string =>
  operation.kind === "resource" ? "This resource" : `The ${operation.kind} "${operation.name.slice(0, 100)}"`;

const because = ({ policies, errors }: PolicyDecision): string => {
  if (policies.length > 0) return ` (${policies.join(", ")})`;
  return errors.length > 0 ? `, because ${errors.join("; ")}` : ": no policy permits it";
};
