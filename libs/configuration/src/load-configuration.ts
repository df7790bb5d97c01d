import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { checkPolicies } from "@countersign/policy";
import { type Configuration, configurationOf } from "./configuration.js";
import { policiesPathOf, property } from "./policies-path.js";
import { readPolicyFolder } from "./policy-folder.js";
import { type ConfigurationProblem, ConfigurationRefused } from "./problems.js";
import { configurationSchema } from "./schema.js";
import { pathText, shapeProblems } from "./shape-problems.js";
import { type YamlFile, parseYaml } from "./yaml-file.js";

/**
 * Reads `countersign.yaml` and its policies. Throws `ConfigurationRefused` with everything that is wrong, in the file
 * and in the policies, at once. Secrets are not read here; the configuration only says where they are.
 */
export const loadConfiguration = async (path: string, env: NodeJS.ProcessEnv): Promise<Configuration> => {
  const file = basename(path);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined)
    throw new ConfigurationRefused([
      { file, path: "", message: "cannot be read", fix: `Create ${path}, or name another file.` },
    ]);
  const yaml = parseYaml(file, text);
  if (Array.isArray(yaml)) throw new ConfigurationRefused(yaml);

  const schema = configurationSchema(env);
  const parsed = schema.safeParse(yaml.value);
  const problems: ConfigurationProblem[] = [
    ...(parsed.success ? [] : shapeProblems(parsed.error.issues, schema)),
    ...doubles(yaml.value),
  ].map(({ at, ...problem }) => ({ file, ...lineAt(yaml, at), ...problem }));

  const folder = resolve(dirname(path), policiesPathOf(yaml.value));
  const shown = relative(dirname(path), folder) || ".";
  const policyFolder = await readPolicyFolder(folder, shown);
  if (Array.isArray(policyFolder)) problems.push(...policyFolder);
  else
    problems.push(
      ...checkPolicies({ ...policyFolder, endpoints: namesIn(yaml.value, "endpoints", "name") }).map(
        (problem) => ({ ...problem, file: join(shown, problem.file), path: "" }),
      ),
    );
  if (!parsed.success || Array.isArray(policyFolder) || problems.length > 0)
    throw new ConfigurationRefused(problems);
  return configurationOf(parsed.data, policyFolder);
};

const lineAt = (yaml: YamlFile, at: readonly PropertyKey[]): { line?: number } => {
  const line = yaml.lineOf(at);
  return line === undefined ? {} : { line };
};

/** Names that must be there once. Asked of the raw file, so that it is said beside whatever else is wrong. */
const doubles = (value: unknown) =>
  (
    [
      ["identityProviders", "id"],
      ["workloadIssuers", "id"],
      ["clients", "id"],
      ["endpoints", "name"],
    ] as const
  ).flatMap(([list, key]) =>
    namesIn(value, list, key).flatMap((name, index, names) =>
      name !== "" && names.indexOf(name) < index
        ? [
            {
              at: [list, index, key],
              path: pathText([list, index, key]),
              message: "is there twice",
              fix: `Give each of \`${list}\` a \`${key}\` of its own.`,
            },
          ]
        : [],
    ),
  );

/** The texts under `key` of each element of `list`; an empty one keeps the place of an element without. */
const namesIn = (value: unknown, list: string, key: string): string[] => {
  const elements = property(value, list);
  return Array.isArray(elements)
    ? elements.map((element) => {
        const name = property(element, key);
        return typeof name === "string" ? name : "";
      })
    : [];
};
