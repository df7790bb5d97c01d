import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { JsonRefused } from "./json-refused.js";
import { scanJson, scanText } from "./scan.js";

const options = { policy: BUILT_IN_POLICY };

/** Inputs that make searches with backtracking or rescanning take the square of their length. */
const HOSTILE: Record<string, string> = {
  digits: "4",
  "digits and spaces": "4 ",
  "groups of four": "4111 ",
  "groups of four with hyphens": "4111-",
  cards: "4111111111111111 ",
  zeros: "0",
  quotes: '"',
  backslashes: "\\",
  "opening brackets": "[",
  "opening braces": '{"a":',
  "base64 signs": "QUJD",
  "base64 of digits": "NDEx",
  "base64 runs": "NDExMTExMTExMTExMTExMQ ",
  percents: "%",
  "percent escapes": "%34",
  "escaped percents": "%25",
  ampersands: "&",
  "entities without end": "&#52",
  "\\u escapes": "\\u0034",
  carets: "4111111111111111^",
  "track beginnings": "%B4111111111111111^A^",
  labels: "cvv ",
  "labels and codes": "cvv 123 ",
  "PIN blocks": "pin block ",
  "Arabic-Indic digits": "٤",
  "zero width": "4\u200b",
  dots: "1.",
  hexadecimal: "a1",
  "UUID beginnings": "00000000-",
  "IBAN beginnings": "DE89 4111 ",
};

const UNITS = 300_000;
/** Each takes a fraction of a second on an idle machine. */
const SECONDS_MAX = 10;

function seconds(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}

describe("a message made to be slow", { timeout: 120_000 }, () => {
  it.each(Object.entries(HOSTILE))("costs no more than its length: %s", (_, unit) => {
    const text = unit.repeat(Math.ceil(UNITS / unit.length));
    const json = JSON.stringify([text]);
    // A search that takes the square of the length would take minutes.
    expect(seconds(() => scanText(text, options))).toBeLessThan(SECONDS_MAX);
    expect(seconds(() => scanJson(json, options))).toBeLessThan(SECONDS_MAX);
    expect(
      seconds(() => {
        try {
          scanJson(text, options);
        } catch (error) {
          if (!(error instanceof JsonRefused)) throw error;
        }
      }),
    ).toBeLessThan(SECONDS_MAX);
  });

  it("costs no more than its length: many keys, many of them cards", () => {
    const keys = Array.from(
      { length: 20_000 },
      (_, i) => `"4111111111111111 ${String(i).padStart(5, "x")}":${i}`,
    );
    const json = `{${keys.join(",")}}`;
    expect(seconds(() => scanJson(json, options))).toBeLessThan(SECONDS_MAX);
  });

  it("costs no more than its length: JSON in JSON in JSON", () => {
    let json = JSON.stringify({ pan: "4111111111111111" });
    for (let i = 0; i < 12; i++) json = JSON.stringify({ json });
    expect(seconds(() => scanJson(json, options))).toBeLessThan(SECONDS_MAX);
    expect(scanJson(json, options).masked).not.toContain("4111111111111111");
  });
});
