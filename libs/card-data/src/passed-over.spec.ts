import fc from "fast-check";
import { expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { luhnDigit } from "./luhn.js";
import { scanJson } from "./scan.js";

fc.configureGlobal({ seed: Number(process.env.SEED ?? 20261122) });

const options = { policy: BUILT_IN_POLICY };

/** Of no brand, so that only what stands around it makes it a card. */
const unknown = fc.stringMatching(/^77\d{10,14}$/).map((payload) => payload + luhnDigit(payload));
const value = fc.oneof(
  unknown,
  unknown.map(Number),
  unknown.map((digits) => (digits.match(/\d{1,3}/g) ?? []).join("-")),
  fc.constantFrom<string | number>("a", "card ref", 1, "123"),
);
const name = fc.constantFrom("a", "b", "c", "exp", "card", "value", "name", "list");
const { node } = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: "medium", maxDepth: 4 },
    value,
    fc.dictionary(name, tie("node"), { maxKeys: 5, noNullPrototype: true }),
    fc.array(tie("node"), { maxLength: 4 }),
  ),
}));

it("what no name spoke of yet is judged as if all names were known from the beginning", () => {
  let found = 0;
  fc.assert(
    fc.property(node, (message) => {
      const alone = scanJson(JSON.stringify([0, message]), options).findings;
      // A name at the beginning that speaks of cards, and has no neighbour, has everything judged at once.
      const known = scanJson(JSON.stringify([{ exp: 0 }, message]), options).findings;
      expect(alone).toEqual(known);
      if (alone.length > 0) found++;
    }),
    { numRuns: 20_000 },
  );
  expect(found).toBeGreaterThan(2_000);
});
