import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Mark } from "./marking.js";
import { MARKS } from "./marking.js";
import { borrowBytes, endOfMarks, nextMark, returnBytes } from "./text-bytes.js";

fc.configureGlobal({ seed: Number(process.env.SEED ?? 20261122) });

/** What each mark means, one sign at a time: whether the text up to and with a sign ends in this. */
const MEANINGS: Record<Mark, RegExp> = {
  // oxlint-disable-next-line no-control-regex -- They stop a string, and that is what is asked.
  stops: /["\\\u0000-\u001f\u007f-\uffff]$/,
  digits: /[0-9]$/,
  rows: /[0-9 ./_-]{12}$/,
  words: /[0-9A-Za-z+/_-]{16}$/,
  codes: /(?:^|(?<![013-9])[^0-9A-Za-z+/_])[0-9]{3}$/,
  blocks: /(?:^|[^0-9A-Za-z+/_])[0-9A-Fa-f]{16}$/,
  escapes: /[\\%&]$/,
  looks: /$^/,
};

/** So many signs are the most that one of the meanings asks for. */
const LOOKED_BACK = 17;

function marksOf(text: string): Record<Mark, number[]> {
  const source = borrowBytes(text);
  try {
    return Object.fromEntries(
      MARKS.map((mark) => {
        const found: number[] = [];
        const marks = source.marks[mark];
        for (
          let at = nextMark(marks, 0, text.length);
          at < text.length;
          at = nextMark(marks, at + 1, text.length)
        ) {
          found.push(at);
        }
        return [mark, found];
      }),
    ) as Record<Mark, number[]>;
  } finally {
    returnBytes(source);
  }
}

function meantBy(text: string): Record<Mark, number[]> {
  const meant = Object.fromEntries(
    MARKS.map((mark) => [
      mark,
      [...text.split("").keys()].filter((at) => {
        const before = text.slice(Math.max(0, at + 1 - LOOKED_BACK), at + 1);
        return MEANINGS[mark].test(before);
      }),
    ]),
  ) as Record<Mark, number[]>;
  const { rows, words, codes, blocks, escapes } = meant;
  meant.looks = [...new Set([rows, words, codes, blocks, escapes].flat())].toSorted((a, b) => a - b);
  return meant;
}

const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
const sign = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(..."0123456789".split("")) },
  { weight: 4, arbitrary: fc.constantFrom(..."abcdefABCDEF".split("")) },
  { weight: 2, arbitrary: fc.constantFrom(..." -./_+".split("")) },
  fc.constantFrom(...ascii),
  fc.constantFrom("é", "–", "٤", "\u00a0", "日"),
);
const text = fc
  .array(fc.oneof(sign, fc.stringMatching(/^\w{1,40}$/)), { maxLength: 200 })
  .map((signs) => signs.join(""));

describe("the marks of a text", { timeout: 120_000 }, () => {
  it("mean what they say, for each sign alone", () => {
    for (const one of [...ascii, "\u0080", "\u00ff", "\uffff"]) {
      for (const around of [one, one.repeat(20), `${one}123`, `${one}0123456789abcdef`]) {
        expect(marksOf(around)).toEqual(meantBy(around));
      }
    }
  });

  it("mean what they say, wherever a text is cut into blocks", () => {
    fc.assert(
      fc.property(text, (written) => {
        expect(marksOf(written)).toEqual(meantBy(written));
      }),
      { numRuns: 3_000 },
    );
  });

  it("are those of this text, whatever text was marked before", () => {
    marksOf("1234 ".repeat(1_000));
    expect(marksOf("a").rows).toEqual([]);
    expect(marksOf("x".repeat(64)).stops).toEqual([]);
  });

  it("are right in a text that is too long for the memory that is kept", () => {
    const long = "é".repeat(5_000_000);
    expect(marksOf(`${long} 123`).codes).toEqual([long.length + 3]);
    expect(marksOf("4111111111111111").rows).toEqual([11, 12, 13, 14, 15]);
  });

  it("show where a run ends, at the edges of words of bits too", () => {
    for (let units = 1; units < 200; units++) {
      const source = borrowBytes(`${"x".repeat(units % 7)}${"1".repeat(units)}`);
      expect(endOfMarks(source.marks.digits, units % 7)).toBe((units % 7) + units);
      returnBytes(source);
    }
  });
});

describe("the search for encoded digits", { timeout: 120_000 }, () => {
  const base64 = fc.stringMatching(/^[A-Za-z0-9+/]{0,150}$/);
  const digits = fc.stringMatching(/^\d{0,12}$/).map((number) => Buffer.from(number).toString("base64"));

  it("passes over no quartet that begins as three digits do", () => {
    fc.assert(
      fc.property(base64, digits, base64, fc.nat({ max: 20 }), (before, encoded, after, from) => {
        const run = before + encoded + after;
        const to = run.length;
        const source = borrowBytes(run);
        const found = source.marking.findDigitQuartet(from, to);
        returnBytes(source);
        const first = [...run.split("").keys()].find(
          (at) =>
            at >= from && (at - from) % 4 === 0 && at + 3 < to && /[MNOP][DTjz]/y.test(run.slice(at, at + 2)),
        );
        expect(found).toBeGreaterThanOrEqual(from);
        expect((found - from) % 4).toBe(0);
        expect(found).toBeLessThanOrEqual(first ?? Math.max(to, from));
        // What is no such quartet is one of the last, which are too few to be looked at together.
        expect(found === first || found + 16 > to).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});
