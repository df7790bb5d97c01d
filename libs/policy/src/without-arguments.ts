import { type PolicyJson, policyToText } from "@cedar-policy/cedar-wasm/nodejs";
import type { NamedPolicy } from "./policy-files.js";

/**
 * The policies as they are for somebody who does not know the arguments yet: a clause that looks at arguments is taken
 * to hold where it permits, and not to hold where it forbids. What these policies deny is denied whatever the arguments
 * are. By name, as Cedar text.
 */
export const withoutArguments = (policies: readonly NamedPolicy[]): Map<string, string> =>
  new Map(
    policies.flatMap(({ name, text, json }): [string, string][] => {
      const kept = json.conditions.filter(({ body }) => !looksAtArguments(body));
      if (kept.length === json.conditions.length) return [[name, text]];
      if (json.effect === "forbid") return [];
      return [[name, textOf({ ...json, conditions: kept })]];
    }),
  );

const textOf = (json: PolicyJson): string => {
  const answer = policyToText(json);
  if (answer.type === "failure") throw new Error("a policy without its arguments does not parse");
  return answer.text;
};

type Node = { readonly [key: string]: unknown };

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;
const isContext = (value: unknown): boolean => isNode(value) && value["Var"] === "context";

/** `context.arguments`, `context has arguments`, and the context as a whole, which holds them too. */
const looksAtArguments = (node: unknown): boolean => {
  if (!isNode(node)) return false;
  if (isContext(node)) return true;
  for (const operator of [".", "has"]) {
    const access = node[operator];
    if (isNode(access) && isContext(access["left"])) return access["attr"] === "arguments";
  }
  return Object.values(node).some(looksAtArguments);
};
