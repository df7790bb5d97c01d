import { expect, it } from "vitest";
import { cardDigitsOf, fingerprintsOf } from "./card-number.js";

it.each(["4111111111111112", "411111111", "41111111111111111111", "4111x11111111111", "", "call me"])(
  "%j is no card number",
  (text) => {
    expect(cardDigitsOf(text)).toBeUndefined();
  },
);

it.each(["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "４１１１111111111111"])(
  "%j is one, however it is written",
  (text) => {
    expect(cardDigitsOf(text)).toBe("4111111111111111");
  },
);

it("a card has one fingerprint under each key", () => {
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const [first, second] = fingerprintsOf("4111111111111111", keys);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(second).not.toBe(first);
});
