import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { checkJson } from "./json-reader.js";
import { JsonRefused } from "./json-refused.js";
import { luhnDigit } from "./luhn.js";
import { scanJson, scanText } from "./scan.js";

/** Every run judges the same cases, unless SEED names others. */
fc.configureGlobal({ seed: Number(process.env.SEED ?? 20261122) });

const options = { policy: BUILT_IN_POLICY, fingerprintKey: new Uint8Array(32) };

const card = fc
  .tuple(
    fc.constantFrom("4", "51", "2221", "37", "62", "6011", "2200", "9792", "3528", "8600"),
    fc.stringMatching(/^\d{15}$/),
  )
  .map(([prefix, filler]) => {
    const payload = (prefix + filler).slice(0, prefix === "37" ? 14 : 15);
    return payload + luhnDigit(payload);
  });
const separator = fc.constantFrom(
  "",
  " ",
  "-",
  ".",
  "/",
  "\u00a0",
  "\u2009",
  "\u200b",
  "\u0000",
  "\u007f",
  "  ",
);
const writtenCard = fc
  .tuple(card, separator)
  .map(([digits, sign]) =>
    (digits.match(/\d{4}(?:\d{1,3}$)?/g) ?? []).join(digits.length === 16 ? sign : ""),
  );
/** Bits of text that detectors react to, mixed so that they meet in odd places. */
const spiced = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      writtenCard,
      fc.constantFrom(
        ...'% & \\ " { } [ ] : , = ^ ? ; * # + D B \n \t'.split(" "),
        ..."cvv pin track 123 1234 12/27 %34 &#52; \\u0034 %B ^A/B^ =2712101 NDExMTExMTExMTExMTExMQ".split(
          " ",
        ),
      ),
      fc.stringMatching(/^\d{1,22}$/),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));
const json = fc
  .jsonValue({ noUnicodeString: false, maxDepth: 4 })
  .chain((value) =>
    fc
      .record({ value: fc.constant(value), cards: fc.array(fc.oneof(writtenCard, spiced), { maxLength: 4 }) })
      .map(({ value, cards }) => JSON.stringify({ value, cvv: "123", cards, [cards[0] ?? "k"]: cards })),
  );

describe("whatever the input", { timeout: 120_000 }, () => {
  it("scanText never throws, and masking twice changes nothing more", () => {
    fc.assert(
      fc.property(spiced, (text) => {
        const once = scanText(text, options);
        expect(once.changed).toBe(once.masked !== text);
        expect(scanText(once.masked, options).masked).toBe(once.masked);
      }),
      { numRuns: 3000 },
    );
  });

  it("scanJson throws nothing but JsonRefused, exactly where JSON.parse throws or keys repeat", () => {
    fc.assert(
      fc.property(
        fc.oneof(spiced, json, fc.string({ unit: fc.constantFrom(...'{}[]":,0-.eE1\\u tfn'.split("")) })),
        (text) => {
          let refused: JsonRefused | undefined;
          try {
            checkJson(text);
          } catch (error) {
            if (!(error instanceof JsonRefused)) throw error;
            refused = error;
          }
          if (refused?.code === "duplicate_key") return;
          let parsed = true;
          try {
            JSON.parse(text);
          } catch {
            parsed = false;
          }
          expect(refused === undefined).toBe(parsed);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("masked JSON is JSON of the same shape, and masking it again changes nothing", () => {
    fc.assert(
      fc.property(json, (text) => {
        const { masked, withoutSad, findings } = scanJson(text, options);
        const before = JSON.parse(text) as Record<string, unknown>;
        const after = JSON.parse(masked) as Record<string, unknown>;
        JSON.parse(withoutSad);
        expect(Object.keys(after)).toHaveLength(Object.keys(before).length);
        expect(scanJson(masked, options).masked).toBe(masked);
        for (const { path, start, end, rule } of findings) {
          expect(end).toBeGreaterThan(start);
          const key = path.slice(path.lastIndexOf("/") + 1);
          const value = rule.endsWith("@key") ? unescapePointer(key) : String(valueAt(after, path));
          expect(value.length).toBeGreaterThanOrEqual(end);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("tokens without findings stay as they were, to the byte", () => {
    const literal = fc.constantFrom(
      "1.10",
      "-0",
      "1E400",
      "6205500000000000005",
      "null",
      '"a\\u00e9\\/b"',
      "[ ]",
      "{\t}",
    );
    fc.assert(
      fc.property(fc.array(literal, { maxLength: 8 }), card, (literals, digits) => {
        const around = literals.map((text, i) => ` "k${i}" :\t${text}`).join(" ,\n");
        const comma = literals.length > 0 ? "," : "";
        const wrap = (value: string) => `{${around}${comma}"c":${value}}`;
        const shown = `${digits.slice(0, 6)}${"*".repeat(digits.length - 10)}${digits.slice(-4)}`;
        expect(scanJson(wrap(`"${digits}"`), options).masked).toBe(wrap(`"${shown}"`));
        expect(scanJson(wrap(digits), options).masked).toBe(wrap(`"${shown}"`));
      }),
    );
  });

  it("no card survives, wherever it is put between signs that are no digits", () => {
    const around = fc.stringMatching(/^[a-zA-Z ,;:()<>|"'{}[\]\n]{0,12}$/);
    fc.assert(
      fc.property(around, writtenCard, around, (before, written, after) => {
        const digits = written.replace(/\D/g, "");
        for (const masked of [
          scanText(before + written + after, options).masked,
          JSON.parse(scanJson(JSON.stringify([before + written + after]), options).masked) as string[],
        ].flat()) {
          expect(masked.replace(/\D/g, "")).not.toContain(digits);
          expect(masked).toContain("*");
        }
      }),
      { numRuns: 3000 },
    );
  });
});

function valueAt(root: unknown, path: string): unknown {
  return path
    .split("/")
    .slice(1)
    .map(unescapePointer)
    .reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], root);
}

function unescapePointer(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
