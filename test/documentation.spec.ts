import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const pages = [
  "README.md",
  "CHANGELOG.md",
  ...globSync("docs/**/*.md", { cwd: root }),
  ...globSync("libs/*/README.md", { cwd: root }),
];

/** The anchor that a heading gets on a page. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
const anchorsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));

/** Links of a page that lead nowhere. */
const broken = (page: string): string[] =>
  [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].flatMap(([link, path = "", anchor]) => {
    const target = path === "" ? page : normalize(join(dirname(page), path));
    const leads =
      existsSync(join(root, target)) && (anchor === undefined || anchorsOf(target).includes(anchor));
    return leads ? [] : [`${page}: ${link}`];
  });

describe("the documentation", () => {
  it("links to what is there", () => {
    expect(pages.flatMap(broken)).toEqual([]);
  });

  it("names every variable that a service reads", () => {
    const configs = [...globSync("apps/*/src/config.ts", { cwd: root }), "libs/service-kit/src/config.ts"];
    const variables = configs.flatMap((path) =>
      [...read(path).matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(([, name = ""]) => name),
    );
    expect(variables.length).toBeGreaterThan(30);
    const operations = read("docs/operations.md");
    // PATH is the system's own.
    const missing = variables.filter((name) => name !== "PATH" && !operations.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });

  it("names scripts of package.json alone", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/npm run ([\w:]+)/g)].map(([, name = ""]) => name),
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
