import { isBuiltin } from "node:module";
import { dirname, posix } from "node:path";
import {
  dependenciesFile,
  importsOf,
  isTestCode,
  manifestsOf,
  packageOf,
  sourcesOf,
  type Tree,
} from "./tree.js";

const app = /^@countersign\/(identity|session-broker|proxy|masking|approval|audit|console)$/;
const ours = /^@countersign\//;
const anyPackage = /^(?!@countersign\/)/;
/** What takes the place of a company's own systems. */
const standIn = /^@countersign\/(dev-idp|payments-server)$/;
const libs = /^@countersign\/(contracts|card-data|evidence|policy|configuration|service-kit)$/;

interface Layer {
  readonly folder: RegExp;
  /** Packages that its code may import. */
  readonly mayImport: readonly (RegExp | string)[];
}

/** The table of allowed imports. The first folder that fits decides; what is not named is refused. */
const layers: readonly Layer[] = [
  { folder: /^libs\/contracts\/src\/generate\.ts$/, mayImport: ["node:fs"] },
  { folder: /^libs\/contracts\//, mayImport: ["zod"] },
  { folder: /^libs\/card-data\//, mayImport: ["@countersign/contracts", "node:crypto"] },
  { folder: /^libs\/evidence\//, mayImport: ["@countersign/contracts", "node:crypto"] },
  { folder: /^libs\/policy\//, mayImport: ["@countersign/contracts", "@cedar-policy/cedar-wasm"] },
  {
    folder: /^libs\/configuration\//,
    mayImport: ["@countersign/contracts", "@countersign/policy", "yaml", "zod", /^node:/],
  },
  { folder: /^libs\/service-kit\//, mayImport: ["@countersign/contracts", anyPackage] },
  { folder: /^apps\/[^/]+\//, mayImport: [libs, anyPackage] },
  // Setup makes every service's tables; the names that it may take of an app are checked apart.
  { folder: /^infra\/setup\//, mayImport: [libs, app, anyPackage] },
  {
    folder: /^infra\//,
    mayImport: [libs, /^@countersign\/(setup|dev-idp|payments-server|local)$/, anyPackage],
  },
  { folder: /^test\//, mayImport: [/./] },
];

const fits = (name: string, patterns: readonly (RegExp | string)[]): boolean =>
  patterns.some((pattern) => (typeof pattern === "string" ? pattern === name : pattern.test(name)));

/** Imports that the table of layers does not allow. */
export function forbiddenImports(tree: Tree): string[] {
  return eachImport(tree).flatMap(({ path, specifier, name }) => {
    if (name === undefined)
      return leavesItsPackage(tree, path, specifier) ? [`${path} reaches into ${specifier}`] : [];
    const layer = layers.find(({ folder }) => folder.test(path));
    if (!layer) return [`${path} lies in no layer`];
    // Tests may use tools, but the ways between our own packages are the same for them.
    if (isTestCode(path) && (!ours.test(name) || standIn.test(name))) return [];
    return fits(name, layer.mayImport) ? [] : [`${path} may not import ${specifier}`];
  });
}

function leavesItsPackage(tree: Tree, path: string, specifier: string): boolean {
  if (path.startsWith("test/") && !path.startsWith("test/fixtures/")) return false;
  const home = manifestsOf(tree).find(({ folder }) => path.startsWith(folder))?.folder ?? "";
  return !posix.join(dirname(path), specifier).startsWith(home);
}

/** Of an app, setup takes its tables and nothing else. */
export function moreThanTables(tree: Tree): string[] {
  return sourcesOf(tree)
    .filter((path) => path.startsWith("infra/setup/"))
    .flatMap((path) =>
      [...(tree.get(path) ?? "").matchAll(/\b(?:import|export)\s+([^;]*?)\s+from\s+"([^"]+)"/g)]
        .filter(([, names = "", specifier = ""]) => app.test(specifier) && !/^\{ \w+Schema \}$/.test(names))
        .map(([, names, specifier]) => `${path} takes ${names} from ${specifier}`),
    );
}

/** Kafka's client library stays in one folder, so that another can take its place. */
export function strayKafkaClients(tree: Tree): string[] {
  return eachImport(tree)
    .filter(({ path, name }) => name === "kafkajs" && !isTestCode(path))
    .filter(({ path }) => !/^(libs\/service-kit\/src\/kafka|infra)\//.test(path))
    .map(({ path }) => `${path} may not import kafkajs`);
}

/** The environment is read once, where it is checked as well. */
export function strayEnvironment(tree: Tree): string[] {
  const mayRead =
    /(\/config\.ts$|^libs\/service-kit\/src\/run-service\.ts$|^infra\/|^apps\/cli\/|\/main\.ts$)/;
  return sourcesOf(tree)
    .filter((path) => !isTestCode(path) && !mayRead.test(path))
    .filter((path) => /\bprocess\s*\.\s*env\b/.test(tree.get(path) ?? ""))
    .map((path) => `${path} may not read process.env; let config.ts do it`);
}

/** Packages that a file imports but its own package.json does not name. */
export function undeclaredDependencies(tree: Tree): string[] {
  const manifests = manifestsOf(tree);
  const root = manifests.find(({ folder }) => folder === "");
  return eachImport(tree).flatMap(({ path, name }) => {
    const home = manifests.find(({ folder }) => path.startsWith(folder));
    if (name === undefined || !home || isBuiltin(name) || name === home.name) return [];
    const declared =
      home.dependencies.has(name) ||
      (isTestCode(path) && (home.devDependencies.has(name) || root?.devDependencies.has(name))) ||
      // The whole workspace is there for what stands at its root.
      (home === root && ours.test(name)) ||
      home.devDependencies.has(`@types/${name}`);
    return declared ? [] : [`${path} imports ${name}, which ${home.folder}package.json does not declare`];
  });
}

/** Dependencies without a sentence in docs/dependencies.md, and sentences without their dependency. */
export function unexplainedDependencies(tree: Tree): string[] {
  const explained = new Set(
    (tree.get(dependenciesFile) ?? "")
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)),
  );
  const named = new Set(
    manifestsOf(tree)
      .flatMap(({ dependencies, devDependencies }) => [...dependencies, ...devDependencies])
      .filter((name) => !ours.test(name)),
  );
  return [
    ...[...named.difference(explained)].map(
      (name) => `${dependenciesFile} does not say why ${name} is there`,
    ),
    ...[...explained.difference(named)].map(
      (name) => `${dependenciesFile} explains ${name}, which is not there`,
    ),
  ];
}

const linesMax = 300;

export function longFiles(tree: Tree): string[] {
  return sourcesOf(tree)
    .filter((path) => !isTestCode(path))
    .map((path) => ({ path, lines: (tree.get(path) ?? "").trimEnd().split("\n").length }))
    .filter(({ lines }) => lines >= linesMax)
    .map(({ path, lines }) => `${path} has ${lines} lines; a file has less than ${linesMax}`);
}

function eachImport(tree: Tree): { path: string; specifier: string; name: string | undefined }[] {
  return sourcesOf(tree).flatMap((path) =>
    importsOf(tree.get(path) ?? "").map((specifier) => ({ path, specifier, name: packageOf(specifier) })),
  );
}
