import { describe, expect, it } from "vitest";

import { brandExamples, brandOf, mayHaveBrand } from "./brands.js";
import { luhnDigit, passesLuhn } from "./luhn.js";

describe("the brand table", () => {
  it.each([
    ["4222222222222", "visa"],
    ["4111111111111111", "visa"],
    ["4000000000000000006", "visa"],
    ["5555555555554444", "mastercard"],
    ["2223003122003222", "mastercard"],
    ["2720990000000007", "mastercard"],
    ["378282246310005", "amex"],
    ["6011111111111117", "discover"],
    ["30569309025904", "diners"],
    ["3095000000000000", "diners"],
    ["3530111333300000", "jcb"],
    ["180000000000002", "jcb"],
    ["213100000000001", "jcb"],
    ["6200000000000005", "unionpay"],
    ["6205500000000000004", "unionpay"],
    ["8171999927660000", "rupay"],
    ["501800000009", "maestro"],
    ["6759649826438453", "maestro"],
    ["6799990100000000019", "maestro"],
    ["2200000000000004", "mir"],
    ["9792000000000001", "troy"],
    ["5081000000000000", "rupay"],
    ["122000000000003", "uatp"],
    ["9860000000000000", "humo"],
    ["8600000000000000", "uzcard"],
    ["9704000000000018", "napas"],
    ["6362970000457013", "elo"],
    ["6062821086773091", "hipercard"],
    ["5061000000000000", "verve"],
    ["5019717010103742", "dankort"],
  ])("knows %s as %s", (digits, brand) => {
    expect(brandOf(digits)?.brand).toBe(brand);
  });

  it.each([
    "411111111111",
    "41111111111111",
    "2220999999999999",
    "2721000000000000",
    "6999999999999999",
    "356938035643809",
  ])("has no brand for %s, whose range or length no card has", (digits) => {
    expect(brandOf(digits)).toBeUndefined();
  });
});

it("tells by length and two digits where no brand can be", () => {
  const missed: string[] = [];
  for (const { prefix, length } of brandExamples()) {
    if (!mayHaveBrand(Number(prefix.padEnd(2, "0").slice(0, 2)), length)) missed.push(`${prefix} ${length}`);
    if (prefix.length === 1 && !mayHaveBrand(Number(`${prefix}9`), length))
      missed.push(`${prefix}9 ${length}`);
  }
  expect(missed).toEqual([]);
  expect(mayHaveBrand(17, 13)).toBe(false);
  expect(mayHaveBrand(99, 12)).toBe(false);
});

describe("the check digit", () => {
  it("catches every single wrong digit", () => {
    const digits = "4111111111111111";
    expect(passesLuhn(digits)).toBe(true);
    for (let at = 0; at < digits.length; at++) {
      for (let step = 1; step < 10; step++) {
        const wrong = (Number(digits[at]) + step) % 10;
        expect(passesLuhn(digits.slice(0, at) + wrong + digits.slice(at + 1))).toBe(false);
      }
    }
  });

  it("completes a number", () => {
    expect(luhnDigit("411111111111111")).toBe("1");
    expect(luhnDigit("37828224631000")).toBe("5");
  });
});
