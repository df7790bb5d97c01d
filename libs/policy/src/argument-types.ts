import { type Type, schemaToJsonWithResolvedTypes } from "@cedar-policy/cedar-wasm/nodejs";

/** The Cedar type of one argument, as far as JSON can carry it. */
export type ArgumentType =
  | { readonly kind: "Long" | "String" | "Bool" | "decimal" | "datetime" | "duration" | "ipaddr" }
  | { readonly kind: "Set"; readonly element: ArgumentType }
  | { readonly kind: "Record"; readonly attributes: ArgumentTypes };

/** The arguments that policies may look at, by name. */
export type ArgumentTypes = ReadonlyMap<string, ArgumentType>;

type CommonTypes = Readonly<Record<string, Type<string>>>;

/**
 * Reads from a Cedar schema which arguments its policies may look at: the record type `Arguments`. Throws an `Error`
 * with a message for the operator where it has none, or uses a type that no JSON argument can have.
 */
export const argumentTypesOf = (schema: string): ArgumentTypes => {
  const answer = schemaToJsonWithResolvedTypes(schema);
  if (answer.type === "failure") throw new Error("the Cedar schema cannot be read");
  const commonTypes = answer.json[""]?.commonTypes ?? {};
  const declared = commonTypes["Arguments"];
  const type = declared && argumentTypeOf(declared, commonTypes, "Arguments");
  if (type?.kind !== "Record") throw new Error("the Cedar schema declares no record type `Arguments`");
  return type.attributes;
};

const argumentTypeOf = (type: Type<string>, commonTypes: CommonTypes, path: string): ArgumentType => {
  switch (type.type) {
    case "Long":
    case "String":
    case "Bool":
    case "decimal":
    case "datetime":
    case "duration":
    case "ipaddr":
      return { kind: type.type };
    case "Set":
      if ("element" in type)
        return { kind: "Set", element: argumentTypeOf(type.element, commonTypes, `${path} element`) };
      break;
    case "Record":
      if ("attributes" in type)
        return {
          kind: "Record",
          attributes: new Map(
            Object.entries(type.attributes).map(([name, attribute]) => [
              name,
              argumentTypeOf(attribute as Type<string>, commonTypes, `${path}.${name}`),
            ]),
          ),
        };
      break;
  }
  // Cedar refuses a type that refers to itself, so following names ends.
  const named = commonTypes[type.type];
  if (named) return argumentTypeOf(named, commonTypes, path);
  throw new Error(`\`${path}\` has a type that no JSON argument can have`);
};
