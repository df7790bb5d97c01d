import { describe, expect, it } from "vitest";
import { freeText, holdsLongNumber } from "./free-text.js";

describe("a text that a person wrote", () => {
  it.each([
    "4111111111111111",
    "card 4111 1111 1111 1111.",
    "4111-1111-1111-1111",
    "4111\u00a01111\u20091111\u200b1111",
    "４１１１１１１１１１１１１１１１",
    "٤١١١١١١١١١١١١١١١",
    "3782.822463.10005",
    "41111111-1111-1111-8111-111111111111",
    "4111111111111111 of 01936208-9821-7045-8123-456789012a45",
    "4111-1111-1111-1111-019362089821",
  ])("is refused with %s in it", (text) => {
    expect(holdsLongNumber(text)).toBe(true);
    expect(freeText(1, 100).safeParse(text).success).toBe(false);
  });

  it.each([
    "OPS-1042",
    "call +1 555 0100 at 10:30",
    "see INC2026112201",
    "refund of 12,000.00",
    "01936208-9821-7045-8123-456789012a45",
    "company:A1936208-9821-7045-8123-456789012345",
  ])("passes: %s", (text) => {
    expect(freeText(1, 100).parse(text)).toBe(text);
  });
});
