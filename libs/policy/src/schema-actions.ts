import { schemaToJsonWithResolvedTypes } from "@cedar-policy/cedar-wasm/nodejs";

/** The actions that a Cedar schema declares; none where it cannot be read. */
export const actionsIn = (schema: string): ReadonlySet<string> => {
  const answer = schemaToJsonWithResolvedTypes(schema);
  return new Set(answer.type === "success" ? Object.keys(answer.json[""]?.actions ?? {}) : []);
};

/**
 * The action that answers for one that the schema does not know. Schemas that were copied before sessions could wait for
 * an approval do not, and their policies keep their meaning: whoever may open a session opens it alone.
 */
export const standIns = { openSessionUnattended: "openSession" } as const;
