import type { Strictness } from "@countersign/contracts";
import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { scanJson, scanText } from "./scan.js";

/** Sixteen digits with a valid check digit that no brand's range holds. */
const UNKNOWN = "7777000000000006";
const BROKEN = "7777000000000007";
const strictnesses: Strictness[] = ["normal", "strict", "strictest"];
const inJson = (strictness: Strictness, value: unknown) =>
  scanJson(JSON.stringify(value), { policy: { ...BUILT_IN_POLICY, strictness } });
const rulesIn = (strictness: Strictness, value: unknown) =>
  inJson(strictness, value).findings.map(({ path, rule }) => `${path} ${rule}`);

describe("a strict search", () => {
  it("takes any number for a card whose check digit holds, wherever it stands", () => {
    const value = {
      ref: UNKNOWN,
      n: Number(UNKNOWN),
      list: [UNKNOWN],
      note: `see ${UNKNOWN} there`,
      spaced: "777700 0000000006",
      [UNKNOWN]: 1,
      json: JSON.stringify({ a: UNKNOWN }),
      base64: Buffer.from(`reference ${UNKNOWN} is what was asked for`).toString("base64"),
    };
    expect(rulesIn("normal", value)).toEqual([]);
    for (const strictness of ["strict", "strictest"] as const) {
      expect(inJson(strictness, value).masked).not.toMatch(/000000000006/);
      expect(rulesIn(strictness, value).map((found) => found.replace(/.* /, ""))).toEqual([
        ...Array.from({ length: 5 }, () => "pan.strict"),
        "pan.strict@key",
        ...Array.from({ length: 2 }, () => "pan.strict"),
      ]);
    }
  });

  it("leaves what fails its check digit", () => {
    expect(rulesIn("strict", { ref: BROKEN, n: Number(BROKEN), note: `see ${BROKEN}` })).toEqual([]);
  });
});

describe("the strictest search", () => {
  it("takes twelve to nineteen digits that stand by themselves for a card", () => {
    const value = {
      ref: BROKEN,
      n: 123456789012,
      note: `see ${BROKEN} there`,
      spaced: "7777 0000 0000 0007",
    };
    expect(rulesIn("strictest", value)).toEqual([
      "/ref pan.strict",
      "/n pan.strict",
      "/note pan.strict",
      "/spaced pan.strict",
    ]);
  });

  it("leaves what is another kind of number by its form, and what is too short or too long", () => {
    const value = {
      uuid: "12345678-1234-1234-1234-123456789012",
      hash: "4111111111111111a111111111111111",
      fraction: 0.4539148803436467,
      amount: "12345678901234.56",
      time: "2026-11-22T15:09:16.123Z",
      short: "12345678901",
      long: "12345678901234567890",
      phone: "+491701234567",
    };
    expect(rulesIn("strictest", value)).toEqual([]);
  });
});

describe("however strict the search is", () => {
  it.each(strictnesses)("(%s) pictures are still what it cannot search", (strictness) => {
    const picture = `iVBORw0KGgo${"AAAA".repeat(40)}`;
    expect(rulesIn(strictness, { data: picture })).toEqual(["/data unscanned.binary"]);
  });

  it.each(strictnesses)("(%s) text shows no more than first six and last four", (strictness) => {
    const { masked } = scanText(`${UNKNOWN} 4111111111111111`, {
      policy: { ...BUILT_IN_POLICY, strictness },
    });
    expect(masked).toBe(`${strictness === "normal" ? UNKNOWN : "777700******0006"} 411111******1111`);
  });
});
