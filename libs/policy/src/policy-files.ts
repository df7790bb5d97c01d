import { type PolicyJson, policySetTextToParts, policyToJson } from "@cedar-policy/cedar-wasm/nodejs";

export interface PolicyFile {
  readonly file: string;
  readonly text: string;
}

/** One policy of a file. `name` is its `@id` annotation, else its place: `payments.cedar#2` is the second one. */
export interface NamedPolicy {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly json: PolicyJson;
}

/**
 * The policies of a file that Cedar has parsed, in the order in which they are written. Throws an `Error` for the
 * operator where the file does not parse or holds a template, which nothing here could fill in.
 */
export const policiesIn = ({ file, text }: PolicyFile): NamedPolicy[] => {
  const parts = policySetTextToParts(text);
  if (parts.type === "failure") throw new Error(`${file} does not parse`);
  if (parts.policy_templates.length > 0) throw new Error(`${file} holds a policy template`);
  return inWrittenOrder(parts.policies).map((policy, index) => {
    const answer = policyToJson(policy);
    if (answer.type === "failure") throw new Error(`${file} holds a policy that cannot be read`);
    const name = answer.json.annotations?.["id"] ?? `${file}#${index + 1}`;
    return { name, file, text: policy, json: answer.json };
  });
};

/** Cedar gives the policies sorted by the ids `policy0`, `policy1`, `policy10`, `policy2`: as text, not as numbers. */
const inWrittenOrder = (sortedByText: readonly string[]): string[] => {
  const ids = sortedByText.map((_, index) => `policy${index}`).toSorted();
  const byId = new Map(ids.map((id, index) => [id, sortedByText[index] ?? ""]));
  return sortedByText.map((_, index) => byId.get(`policy${index}`) ?? "");
};
