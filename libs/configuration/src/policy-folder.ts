import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type PolicyFile, schemaFile } from "@countersign/policy";
import type { ConfigurationProblem } from "./problems.js";

export interface PolicyFolder {
  /** Every `*.cedar` file by name, in the order of their names. */
  readonly policies: readonly PolicyFile[];
  readonly schema: string;
}

/** Reads a folder of policies, or says what is missing. `shown` is how problems call the folder. */
export const readPolicyFolder = async (
  folder: string,
  shown: string,
): Promise<PolicyFolder | ConfigurationProblem[]> => {
  const names = await readdir(folder).catch(() => undefined);
  if (!names)
    return [
      {
        file: shown,
        path: "",
        message: "cannot be read",
        fix: "Point `policies` at a folder of *.cedar files.",
      },
    ];
  const cedar = names.filter((name) => name.endsWith(".cedar")).toSorted();
  const problems: ConfigurationProblem[] = [];
  if (cedar.length === 0)
    problems.push({
      file: shown,
      path: "",
      message: "holds no policy, so everything would be denied",
      fix: "Add a file that ends in .cedar.",
    });
  if (!names.includes(schemaFile))
    problems.push({
      file: join(shown, schemaFile),
      path: "",
      message: "is missing",
      fix: "Restore it from the release; policies are checked against it.",
    });
  if (problems.length > 0) return problems;
  return {
    policies: await Promise.all(
      cedar.map(async (file) => ({ file, text: await readFile(join(folder, file), "utf8") })),
    ),
    schema: await readFile(join(folder, schemaFile), "utf8"),
  };
};
