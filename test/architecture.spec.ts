import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importCycles } from "./architecture/cycles.js";
import {
  forbiddenImports,
  longFiles,
  moreThanTables,
  strayEnvironment,
  strayKafkaClients,
  undeclaredDependencies,
  unexplainedDependencies,
} from "./architecture/rules.js";
import { importsOf, readTree, type Tree } from "./architecture/tree.js";

const rules: Readonly<Record<string, (tree: Tree) => string[]>> = {
  "imports go the way that the table of layers allows": forbiddenImports,
  "setup takes tables from an app and nothing else": moreThanTables,
  "Kafka's client library stays in one folder": strayKafkaClients,
  "the environment is read by config.ts": strayEnvironment,
  "a package declares what it imports": undeclaredDependencies,
  "a dependency has its sentence in docs/dependencies.md": unexplainedDependencies,
  "a file has less than 300 lines": longFiles,
  "no file imports itself by way of others": importCycles,
};

describe("the architecture", () => {
  const tree = readTree(join(import.meta.dirname, ".."));

  it.each(Object.entries(rules))("%s", (_, rule) => {
    expect(rule(tree)).toEqual([]);
  });

  it("was looked at whole", () => {
    for (const path of [
      "libs/contracts/src/index.ts",
      "apps/proxy/src/index.ts",
      "infra/setup/src/setup.ts",
    ]) {
      expect([...tree.keys()]).toContain(path);
    }
  });
});

const sound: Record<string, string> = {
  "package.json": `{ "name": "root", "devDependencies": { "vitest": "5" } }`,
  "docs/dependencies.md": "| package | why |\n| `vitest` | Tests. |\n| `zod` | Parses. |",
  "libs/contracts/package.json": `{ "name": "@countersign/contracts", "dependencies": { "zod": "4" } }`,
  "libs/contracts/src/index.ts": `import { z } from "zod";`,
  "libs/evidence/package.json": `{ "name": "@countersign/evidence", "dependencies": { "@countersign/contracts": "*" } }`,
  "libs/evidence/src/index.ts": `import { createHash } from "node:crypto"; export * from "./leaf.js";`,
  "libs/evidence/src/leaf.ts": `import type { Topic } from "@countersign/contracts";`,
  "apps/audit/package.json": `{ "name": "@countersign/audit", "dependencies": { "@countersign/contracts": "*" } }`,
  "apps/audit/src/index.ts": `export { auditSchema } from "./schema.js";`,
  "apps/audit/src/schema.ts": `import { topics } from "@countersign/contracts";`,
  "apps/audit/src/config.ts": `export const port = process.env["PORT"];`,
  "apps/audit/src/audit.spec.ts": `import { it } from "vitest";`,
  "infra/setup/package.json": `{ "name": "@countersign/setup", "dependencies": { "@countersign/audit": "*" } }`,
  "infra/setup/src/schemas.ts": `import { auditSchema } from "@countersign/audit";`,
};

describe("a rule of the architecture", () => {
  const treeWith = (files: Record<string, string>): Tree => new Map(Object.entries({ ...sound, ...files }));
  const broken = (files: Record<string, string>): string[] =>
    Object.values(rules).flatMap((rule) => rule(treeWith(files)));

  it("finds nothing wrong with a sound tree", () => {
    expect(broken({})).toEqual([]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      "an app that imports an app",
      { "apps/masking/src/a.ts": `import { x } from "@countersign/audit";` },
      "apps/masking/src/a.ts may not import @countersign/audit",
    ],
    [
      "a spec that imports another app",
      { "apps/masking/src/a.spec.ts": `import { x } from "@countersign/audit";` },
      "apps/masking/src/a.spec.ts may not import @countersign/audit",
    ],
    [
      "a file that reaches into another package",
      { "apps/audit/src/a.ts": `import { x } from "../../../libs/contracts/src/index.js";` },
      "apps/audit/src/a.ts reaches into ../../../libs/contracts/src/index.js",
    ],
    [
      "a pure library that does I/O",
      { "libs/evidence/src/a.ts": `const { readFileSync } = await import("node:fs");` },
      "libs/evidence/src/a.ts may not import node:fs",
    ],
    [
      "a kit with business words",
      { "libs/service-kit/src/a.ts": `export * from "@countersign/policy";` },
      "libs/service-kit/src/a.ts may not import @countersign/policy",
    ],
    [
      "a setup that takes more than tables",
      { "infra/setup/src/a.ts": `import { auditSchema, AuditModule } from "@countersign/audit";` },
      "infra/setup/src/a.ts takes { auditSchema, AuditModule } from @countersign/audit",
    ],
    [
      "a second place for Kafka's client library",
      { "apps/audit/src/a.ts": `import { Kafka } from "kafkajs";` },
      "apps/audit/src/a.ts may not import kafkajs",
    ],
    [
      "a reader of the environment",
      { "apps/audit/src/a.ts": `export const home = process.env["HOME"];` },
      "apps/audit/src/a.ts may not read process.env; let config.ts do it",
    ],
    [
      "a dependency that is there by chance",
      { "apps/audit/src/a.ts": `import type { Pool } from "pg";` },
      "apps/audit/src/a.ts imports pg, which apps/audit/package.json does not declare",
    ],
    [
      "a tool of the tests in production code",
      { "apps/audit/src/a.ts": `import { vi } from "vitest";` },
      "apps/audit/src/a.ts imports vitest, which apps/audit/package.json does not declare",
    ],
    [
      "a dependency that nobody explained",
      {
        "libs/policy/package.json": `{ "name": "@countersign/policy", "dependencies": { "left-pad": "1" } }`,
      },
      "docs/dependencies.md does not say why left-pad is there",
    ],
    [
      "a sentence about something that is gone",
      { "docs/dependencies.md": "| `vitest` | Tests. |\n| `zod` | Parses. |\n| `moment` | Times. |" },
      "docs/dependencies.md explains moment, which is not there",
    ],
    [
      "a long file",
      { "apps/audit/src/a.ts": "\n".repeat(299) + "export {};" },
      "apps/audit/src/a.ts has 300 lines; a file has less than 300",
    ],
    [
      "a ring of files",
      {
        "libs/evidence/src/a.ts": `import { b } from "./b.js";`,
        "libs/evidence/src/b.ts": `export * from "./c.js";`,
        "libs/evidence/src/c.ts": `import type { a } from "./a.js";`,
      },
      "libs/evidence/src/a.ts → libs/evidence/src/b.ts → libs/evidence/src/c.ts → libs/evidence/src/a.ts",
    ],
  ])("finds %s", (_, files, message) => {
    expect(broken(files)).toContain(message);
  });

  it("reads every way to import, and no import out of a comment or a text", () => {
    const text = `
      import a from "a"; import type { B } from "b"; import "c"; export * from "d"; export { e } from "e";
      const f = await import("f"); const g = require("g"); let h: import("h").H;
      // import x from "comment";
      /* import y from "comment"; */ const text = 'import z from "text"';`;
    expect(importsOf(text)).toEqual(["a", "b", "c", "d", "e", "f", "g", "h"]);
  });
});
