import { defineConfig } from "vitest/config";
import base from "../../vitest.config.js";

/** `npm run fuzz`: the properties of the data path with many cases; `FUZZ_CASES` and `FUZZ_SEED` choose others. */
export default defineConfig({
  ...(base.resolve ? { resolve: base.resolve } : {}),
  test: { name: "fuzz", include: ["test/fuzz/**/*.fuzz.ts"], testTimeout: 30 * 60_000 },
});
