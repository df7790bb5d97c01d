import { expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { scanJson, scanText } from "./scan.js";

const options = { policy: BUILT_IN_POLICY };
const CARD = "4929112233440562";
const each = (write: (digit: number) => string) => CARD.replace(/\d/g, (digit) => write(Number(digit)));
const joined = (sign: string) => CARD.replace(/(\d{4})(?=\d)/g, `$1${sign}`);

it.each([
  ["braille blanks", joined("\u2800")],
  ["Hangul fillers", joined("\u3164")],
  ["variation selectors", joined("\ufe00")],
  ["tags", joined("\u{e0020}")],
  ["lines through each digit", each((digit) => `${digit}\u0336`)],
  ["lines under each digit", each((digit) => `${digit}\u0332`)],
  ["digits in brackets", each((digit) => (digit === 0 ? "0" : String.fromCharCode(0x2473 + digit)))],
  ["digits with commas", each((digit) => String.fromCodePoint(0x1f101 + digit))],
  ["escapes that are escaped again", each((digit) => `\\\\\\u003${digit}`)],
  ["the blanks of forms", `card=${joined("+")}&x=1`],
])("a card is found behind %s", (_, written) => {
  for (const { findings, masked } of [
    scanText(`see ${written} there`, options),
    scanJson(JSON.stringify({ note: `see ${written} there` }), options),
  ]) {
    expect(findings).toMatchObject([{ kind: "pan", rule: "pan.range", first6: "492911", last4: "0562" }]);
    expect(masked).not.toContain(written);
  }
});

it.each([
  "4929112233440562e0",
  "4929112233440562E000",
  "49291122334405.62e2",
  "49291122334405.62e+02",
  "49291122334405620e-1",
  "0.4929112233440562e16",
  "4.929112233440562e015",
])("a card is found in the number %s", (literal) => {
  expect(scanJson(`{"n":${literal}}`, options).masked).toBe('{"n":"492911******0562"}');
});

it.each(["4e15", "1.7e12", "1e400", "4.929112233440563e15", "-0.0e-7", "49291122334405.62e3", "5e-324"])(
  "%s is no card",
  (literal) => {
    expect(scanJson(`{"n":${literal}}`, options).findings).toEqual([]);
  },
);

it.each([
  ["digits and a control character", "00\u0001", "4111111111111111", ""],
  ["digits behind a control character", "", "4111111111111111", "\u00017"],
  ["digits and a zero-width space", "12\u200b", "4111 1111 1111 1111", ""],
  ["digits and an escaped control character", "00%01", "4111111111111111", ""],
])("a card beside %s is found, as one that holds such signs is", (_, before, card, behind) => {
  const { masked } = scanText(`${before}${card}${behind}`, options);
  expect(masked).toContain("*");
  expect(masked).not.toContain(card);
  const inJson = scanJson(JSON.stringify([`${before}${card}${behind}`]), options);
  expect(inJson.masked).not.toContain(card);
});

it("a card is found in groups that invisible signs part, beside other digits", () => {
  const { masked } = scanText("00\u00014111\u200b1111\u00011111\u00011111", options);
  expect(masked).toBe("00\u00014111\u200b11**\u0001****\u00011111");
});
