import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** A checkout as the rules see it: the text of each file by its path from the root. */
export type Tree = ReadonlyMap<string, string>;

const foldersLeftOut = new Set(["node_modules", "dist", ".git", ".nx", ".countersign"]);
export const dependenciesFile = "docs/dependencies.md";
const foldersRead = ["apps", "libs", "infra", "test"];

export function readTree(root: string): Tree {
  const tree = new Map(
    ["package.json", dependenciesFile].map((path) => [path, readFileSync(join(root, path), "utf8")]),
  );
  const read = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory() && !foldersLeftOut.has(entry.name)) read(path);
      else if (/(\.[cm]?tsx?|\/package\.json)$/.test(path))
        tree.set(path, readFileSync(join(root, path), "utf8"));
    }
  };
  for (const folder of foldersRead) read(folder);
  return tree;
}

export const sourcesOf = (tree: Tree): string[] =>
  [...tree.keys()].filter((path) => /\.[cm]?tsx?$/.test(path));

/** What a file imports, re-exports, requires or loads later, as it is written there; TypeScript's own scanner reads it. */
export const importsOf = (text: string): string[] =>
  ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);

/** `@scope/name` or `name` of a package import; undefined for a file of the same package. */
export const packageOf = (specifier: string): string | undefined =>
  specifier.startsWith(".") ? undefined : /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0];

/** Code that never runs in production: specs, their fixtures, and what stands in a folder for them. */
export const isTestCode = (path: string): boolean =>
  /\.(spec|fixture)\.tsx?$/.test(path) || path.startsWith("test/") || path.includes("/testing/");

interface Manifest {
  readonly folder: string;
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

/** The package.json of every package, the root's last. */
export function manifestsOf(tree: Tree): Manifest[] {
  return [...tree]
    .filter(([path]) => path.endsWith("package.json"))
    .map(([path, text]) => {
      const {
        name,
        dependencies = {},
        devDependencies = {},
      } = JSON.parse(text) as {
        name: string;
        dependencies?: object;
        devDependencies?: object;
      };
      return {
        folder: path === "package.json" ? "" : path.slice(0, -"package.json".length),
        name,
        dependencies: new Set(Object.keys(dependencies)),
        devDependencies: new Set(Object.keys(devDependencies)),
      };
    })
    .toSorted((a, b) => b.folder.length - a.folder.length);
}
