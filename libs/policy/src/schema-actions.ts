import { schemaToJsonWithResolvedTypes, type Type } from "@cedar-policy/cedar-wasm/nodejs";

/** Actions by name, each with the attributes of its context. */
export type DeclaredActions = ReadonlyMap<string, ReadonlySet<string>>;

/** The actions that a Cedar schema declares; none where it cannot be read. */
export const actionsIn = (schema: string): DeclaredActions => {
  const answer = schemaToJsonWithResolvedTypes(schema);
  const { actions = {}, commonTypes = {} } = (answer.type === "success" && answer.json[""]) || {};
  return new Map(
    Object.entries(actions).map(([name, { appliesTo }]) => [
      name,
      new Set(appliesTo?.context ? attributesOf(appliesTo.context, commonTypes) : []),
    ]),
  );
};

/** Cedar refuses a type that refers to itself, so following names ends. */
const attributesOf = (type: Type<string>, commonTypes: Readonly<Record<string, Type<string>>>): string[] => {
  if ("attributes" in type) return Object.keys(type.attributes);
  const named = commonTypes[type.type];
  return named ? attributesOf(named, commonTypes) : [];
};

/**
 * The action that answers for one that the schema does not know. Schemas that were copied before sessions could wait for
 * an approval do not, and their policies keep their meaning: whoever may open a session opens it alone.
 */
export const standIns = { openSessionUnattended: "openSession" } as const;
