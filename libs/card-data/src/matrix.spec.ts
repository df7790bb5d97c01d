import { describe, expect, it } from "vitest";

import { BRAND_NAMES } from "./brands.js";
import { runFreeTexts, runMatrix } from "./matrix-report.js";

describe("the matrix of brands, writings and carriers", { timeout: 120_000 }, () => {
  const report = runMatrix(7, 2_000);

  it("is found and masked, every case of it", () => {
    expect(report.missed).toEqual([]);
    expect(report.all.found).toBe(report.all.cases);
    expect(report.all.cases).toBeGreaterThan(160_000);
    expect([...report.byBrand.keys()].toSorted()).toEqual([...BRAND_NAMES].toSorted());
  });

  it.each([
    "IMEI",
    "UUID",
    "SHA-256",
    "MD5",
    "epoch ms",
    "epoch µs",
    "epoch ns",
    "float",
    "coordinates",
    "phone, international",
    "phone, spaced",
    "phone, national",
    "timestamp",
    "snowflake",
    "ICCID",
    "IBAN",
  ])("mistakes hardly any %s for a card", (kind) => {
    const { cases, found } = report.falseHits.get(kind)!;
    expect(found / cases).toBeLessThan(0.001);
  });

  it("takes few random numbers of sixteen digits for cards", () => {
    const { cases, found } = report.falseHits.get("random 16 digits")!;
    expect(found / cases).toBeLessThan(0.05);
  });
});

it.each([7, 8])(
  "ninety-nine of a hundred cards in texts as people write them are found, with seed %i",
  (seed) => {
    const { all, without } = runFreeTexts(seed, 10_000);
    expect(all.found / all.cases).toBeGreaterThan(0.99);
    expect(without.found / without.cases).toBeLessThan(0.02);
  },
);
