import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * Three costs of test, told by suffix: `.spec` is pure, `.int.spec` needs Kafka or PostgreSQL, and
 * `test/journeys` runs the whole suite. All of them resolve workspace packages to their sources: by alias and not by
 * the `source` condition, which Vitest would hand on to Node, and under which packages of other people export
 * TypeScript that Node does not run.
 */
const resolve = { alias: sourceAliases() };

function sourceAliases() {
  return globSync("{libs,apps,infra,test/fixtures}/*/package.json", { cwd: import.meta.dirname }).flatMap(
    (file) => {
      const manifest: { name: string; exports?: Record<string, { source?: string }> } = JSON.parse(
        readFileSync(join(import.meta.dirname, file), "utf8"),
      );
      return Object.entries(manifest.exports ?? {}).flatMap(([subpath, { source }]) =>
        source === undefined
          ? []
          : [
              {
                find: new RegExp(`^${manifest.name}${subpath.slice(1)}$`),
                replacement: join(import.meta.dirname, dirname(file), source),
              },
            ],
      );
    },
  );
}

/** How long `expect.poll` waits unless it says otherwise: on a machine that is busy with other things, a second is nothing. */
const poll = { timeout: 20_000 };

export default defineConfig({
  resolve,
  test: {
    reporters: ["default", "./test/summary.reporter.ts"],
    projects: [
      {
        resolve,
        test: {
          name: "unit",
          // Properties take a while on a busy machine.
          testTimeout: 30_000,
          expect: { poll },
          include: ["{apps,libs,infra}/*/src/**/*.spec.ts", "test/*.spec.ts"],
          exclude: ["**/*.int.spec.ts", "**/node_modules/**"],
        },
      },
      {
        resolve,
        test: {
          name: "integration",
          include: ["{apps,libs,infra,test/fixtures}/*/src/**/*.int.spec.ts", "test/*.int.spec.ts"],
          globalSetup: ["test/infrastructure.setup.ts"],
          testTimeout: 60_000,
          expect: { poll },
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        resolve,
        test: {
          name: "journeys",
          include: ["test/journeys/**/*.spec.ts"],
          testTimeout: 180_000,
          expect: { poll },
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
