import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { scanJson, scanText } from "./scan.js";

const options = { policy: BUILT_IN_POLICY };
/** Sixteen digits with a valid check digit that no brand's range holds. */
const UNKNOWN = "7777000000000006";
const BROKEN = "4111111111111112";
const rulesIn = (value: unknown, policy = BUILT_IN_POLICY, today?: string) =>
  scanJson(JSON.stringify(value), today === undefined ? { policy } : { policy, today }).findings.map(
    ({ rule }) => rule,
  );

describe("a number of no known brand", () => {
  it("is left alone where nothing speaks of cards", () => {
    expect(rulesIn({ ref: UNKNOWN, note: `see ${UNKNOWN}` })).toEqual([]);
  });

  it("is a card where a key, a sibling, an ancestor, a word or an expiry says so, or its groups do", () => {
    expect(rulesIn({ card_ref: UNKNOWN })).toEqual(["pan.context"]);
    expect(rulesIn({ number: UNKNOWN, exp_month: 12 })).toEqual(["pan.context"]);
    expect(rulesIn({ card: { a: { number: UNKNOWN } } })).toEqual(["pan.context"]);
    expect(rulesIn({ note: `her Visa, ${UNKNOWN}` })).toEqual(["pan.context"]);
    expect(rulesIn({ note: `${UNKNOWN} 12/27` })).toEqual(["pan.context"]);
    expect(rulesIn({ note: "7777 0000 0000 0006" })).toEqual(["pan.context"]);
  });
});

describe("a name that speaks of cards", () => {
  const number = Number(UNKNOWN);
  const far = Array.from({ length: 50 }, (_, id) => ({ id, ref: number }));

  it.each<[string, unknown]>([
    ["before it", { exp_month: 12, ref: number }],
    ["behind it", { ref: number, exp_month: 12 }],
    ["behind it, with other objects between them", { ref: number, a: { b: [{}] }, exp_month: 12 }],
    ["behind the list that holds it", { refs: [[number]], exp_month: 12 }],
    ["around it", { card: { a: { b: number } } }],
    ["behind it, in the last of many objects", [...far, { id: 51, ref: number, exp_month: 12 }]],
    ["behind it, in the second of its objects alone", [{ ref: "a" }, { ref: number, b: 1, exp_month: 12 }]],
    ["behind it, where others were passed over before", { list: far, ref: number, exp_month: 12 }],
    ["behind it, and first in an object between them", { ref: number, a: { exp: 1 }, exp_month: 12 }],
    [
      "behind it, after the same keys in an object between",
      { a: number, b: { a: 1, b: 2, exp: 3 }, exp: 12 },
    ],
    ["beside it, as what another field holds", { name: "card ref", value: number }],
    ["beside it, behind it", { value: number, name: "card ref" }],
  ])("makes a number one wherever it stands: %s", (_, value) => {
    expect(rulesIn(value)).toEqual(["pan.context"]);
    expect(rulesIn(JSON.parse(JSON.stringify(value).replaceAll(UNKNOWN, `"${UNKNOWN}"`)))).toEqual([
      "pan.context",
    ]);
    expect(rulesIn({ log: JSON.stringify(value) })).toEqual(["pan.context"]);
  });

  it.each<[string, unknown]>([
    ["in another object", [{ ref: number }, { exp_month: 12 }]],
    ["within what stands beside it", { ref: number, a: { exp_month: 12 } }],
    ["around what stands beside it", { ref: number, a: { card: { b: 1 } } }],
    ["four objects above it", { card: { a: { b: { c: { d: number } } } } }],
  ])("says nothing of a number that stands elsewhere: %s", (_, value) => {
    expect(rulesIn(value)).toEqual([]);
  });
});

describe("a number that fails its check digit", () => {
  it("is a card only in a field or behind a label that says card number", () => {
    expect(rulesIn({ ref: BROKEN, card_ref: BROKEN, note: `card ${BROKEN}` })).toEqual([]);
    for (const key of ["pan", "PAN", "cardNumber", "card_no", "ccnum", "primaryAccountNumber", "card"]) {
      expect(rulesIn({ [key]: BROKEN })).toEqual(["pan.key"]);
    }
    expect(rulesIn({ note: `Card number: ${BROKEN}` })).toEqual(["pan.label"]);
    expect(rulesIn({ card_id: BROKEN, card_token: BROKEN, pan_hash: BROKEN })).toEqual([]);
  });
});

describe("the policy", () => {
  it("adds keys and words to those that are built in", () => {
    const policy = {
      ...BUILT_IN_POLICY,
      panKeys: ["Konto-Karte"],
      cvvKeys: ["prüfziffer"],
      trackKeys: ["stripe_raw"],
      pinKeys: ["geheimzahl"],
      contextWords: ["bonuskarte"],
    };
    expect(rulesIn({ kontoKarte: BROKEN, Prüfziffer: "123", geheimzahl: 1234 }, policy)).toEqual([
      "pan.key",
      "cvv.key",
      "pin.key",
    ]);
    expect(rulesIn({ stripeRaw: "123456789012=27" }, policy)).toEqual(["track.key"]);
    expect(rulesIn({ note: `Ihre Bonuskarte: ${UNKNOWN}` }, policy)).toEqual(["pan.context"]);
    expect(rulesIn({ pan: BROKEN }, policy)).toEqual(["pan.key"]);
  });

  it("allows shapes of known identifiers, until they expire and never bare digits", () => {
    const allow = (pattern: string) => ({
      ...BUILT_IN_POLICY,
      allow: [{ pattern, reason: "order numbers", expires: "2027-01-01" }],
    });
    const value = { ref: "ORD-4111111111111111" };
    expect(rulesIn(value, allow("ORD-################"), "2026-12-31")).toEqual([]);
    expect(rulesIn(value, allow("ORD-################"), "2027-01-02")).toEqual(["pan.range"]);
    expect(rulesIn(value, allow("ORD-################"))).toEqual(["pan.range"]);
    expect(rulesIn(value, allow("################"), "2026-12-31")).toEqual(["pan.range"]);
    expect(rulesIn({ ref: "XORD-4111111111111111" }, allow("ORD-################"), "2026-12-31")).toEqual([
      "pan.range",
    ]);
  });
});

describe("what cannot be searched", () => {
  it("is said: pictures and documents, and carriers within too many carriers", () => {
    const picture = `iVBORw0KGgo${"AAAA".repeat(40)}`;
    expect(rulesIn({ data: picture, icon: `data:image/png;base64,${picture}` })).toEqual([
      "unscanned.binary",
      "unscanned.binary",
    ]);
    let json = '{"pan":"4111111111111111"}';
    for (let i = 0; i < 8; i++) json = JSON.stringify({ json });
    const { masked, findings } = scanText(json, options);
    expect(masked).not.toContain("4111111111111111");
    expect(findings.map(({ rule }) => rule)).toContain("unscanned.depth");
  });

  it("changes nothing and is no sensitive data", () => {
    const text = JSON.stringify({ data: `/9j/${"AAAA".repeat(40)}` });
    const result = scanJson(text, options);
    expect(result).toMatchObject({ masked: text, changed: false, sad: false });
  });
});
