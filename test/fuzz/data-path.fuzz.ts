import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as properties from "../../apps/proxy/src/testing/data-path.properties.js";

/** Of each property, so that all of them together are well past a hundred thousand. */
const numRuns = Number(process.env["FUZZ_CASES"] ?? 20_000);
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_122);

const all = Object.entries(properties).flatMap(([name, property]) =>
  typeof property === "string" ? [] : [{ name, property }],
);

describe(`the data path, with ${numRuns} cases of each property`, () => {
  it.each(all)("$name", async ({ property }) => {
    await expect(
      Promise.resolve(fc.assert(property as fc.IAsyncProperty<unknown>, { seed, numRuns })),
    ).resolves.toBeUndefined();
  });
});
