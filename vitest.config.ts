import { defineConfig } from "vitest/config";

/**
 * Three costs of test, told by suffix: `.spec` is pure, `.int.spec` needs Kafka or PostgreSQL, and
 * `test/journeys` runs the whole suite. All of them resolve workspace packages to their sources.
 */
const resolve = { conditions: ["source"] };
const ssr = { resolve: { conditions: ["source", "node"] } };

export default defineConfig({
  resolve,
  ssr,
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: "unit",
          include: ["{apps,libs,infra}/*/src/**/*.spec.ts", "test/*.spec.ts"],
          exclude: ["**/*.int.spec.ts", "**/node_modules/**"],
        },
      },
      {
        resolve,
        ssr,
        // The environment in which Vitest runs the global setup.
        environments: { __vitest__: { resolve: ssr.resolve } },
        test: {
          name: "integration",
          include: ["{apps,libs,infra}/*/src/**/*.int.spec.ts"],
          globalSetup: ["test/infrastructure.setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "journeys",
          include: ["test/journeys/**/*.spec.ts"],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
