import { nearest } from "@countersign/policy";
import { z } from "zod";
import type { ConfigurationProblem } from "./problems.js";

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;
type Located = Omit<ConfigurationProblem, "file" | "line"> & { readonly at: Path };

/** What zod found, each with what to do about it. Values are never repeated: a secret may be in the wrong place. */
export const shapeProblems = (issues: readonly Issue[], schema: z.ZodType): Located[] => {
  const shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return issues.flatMap((issue) => problemsOf(issue, shape));
};

const problemsOf = (issue: Issue, shape: JsonSchema): Located[] => {
  const path = issue.path;
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(shape, path);
    return issue.keys.map((key) => ({
      at: [...path, key],
      path: pathText([...path, key]),
      message: "is not a known key",
      fix: fixForKey(key, known),
    }));
  }
  if (issue.code === "invalid_union" && !issue.discriminator)
    return [
      {
        at: path,
        path: pathText(path),
        message: "must say where the secret is, not what it is",
        fix: "Write { env: NAME } or { file: PATH }.",
      },
    ];
  const params: unknown = issue.code === "custom" ? issue.params?.["fix"] : undefined;
  return [
    {
      at: path,
      path: pathText(path),
      message: issue.message.replace(/^Invalid (input|option): /, ""),
      fix: typeof params === "string" ? params : `Change ${pathText(path) || "the file"}.`,
    },
  ];
};

const fixForKey = (key: string, known: readonly string[]): string => {
  // Known at this place, but only beside another `transport` or `type`.
  if (known.includes(key)) return "Remove it; it belongs to another kind.";
  const suggestion = nearest(key, known);
  if (suggestion) return `Did you mean \`${suggestion}\`?`;
  return known.length > 0 ? `Remove it; known are ${known.join(", ")}.` : "Remove it.";
};

interface JsonSchema {
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly items?: unknown;
  readonly anyOf?: readonly unknown[] | undefined;
  readonly oneOf?: readonly unknown[] | undefined;
}

/** The keys that the schema knows at a place. */
const keysAt = (schema: unknown, path: Path): string[] => {
  if (!isSchema(schema)) return [];
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return [...new Set(alternatives.flatMap((alternative) => keysAt(alternative, path)))];
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(schema.properties ?? {});
  return keysAt(typeof first === "number" ? schema.items : schema.properties?.[String(first)], rest);
};

const isSchema = (value: unknown): value is JsonSchema => typeof value === "object" && value !== null;

export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part),
    "",
  );
