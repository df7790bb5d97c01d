import { expect, it } from "vitest";
import { holdsCardLike } from "./card-like.js";

it.each([
  "4111111111111111",
  "4111 1111 1111 1111",
  "4111-1111-1111-1111",
  "4111.1111.1111.1111",
  "x4111/1111/1111/1111y",
  "4111\u{a0}1111\u{2013}1111\u{200b}1111",
  "\u{ff14}\u{ff11}\u{ff11}\u{ff11}1111\u{661}\u{661}\u{661}\u{661}1111",
  "123456789012",
])("a value that may be a card number is recognised: %j", (value) => {
  expect(holdsCardLike(["payments", undefined, value])).toBe(true);
});

it.each(["refund", "company:ada@example.com", "company:12345678901", "v1.2.3-2026-03-01", ""])(
  "a value that people search for passes: %j",
  (value) => {
    expect(holdsCardLike([value])).toBe(false);
  },
);
