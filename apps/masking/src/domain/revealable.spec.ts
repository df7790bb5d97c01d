import { BUILT_IN_POLICY } from "@countersign/card-data";
import { expect, it } from "vitest";
import { revealable } from "./revealable.js";

const card = "4929112233440562";
const options = { policy: { ...BUILT_IN_POLICY, cvvKeys: ["geheim"] } };

it("an original is shown to the byte, with its card numbers", () => {
  const text = `{ "pan": ${card}, "cvv": "***", "n": 1.10 }`;
  expect(revealable(text, options)).toBe(text);
  expect(revealable(`card ${card}, cvv ***`, options)).toBe(`card ${card}, cvv ***`);
});

it("a code that was sealed before the policy knew it is not shown", () => {
  expect(revealable(`{"pan":"${card}","geheim":"123"}`, options)).toBe(`{"pan":"${card}","geheim":"***"}`);
  expect(revealable(`card ${card}, cvv 123`, options)).toBe(`card ${card}, cvv ***`);
});
