import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { base64Runs } from "./base64.js";
import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { Draft } from "./draft.js";
import { luhnDigit } from "./luhn.js";
import { positives } from "./matrix.js";
import { scanJson } from "./scan.js";
import { scanValue } from "./scan-value.js";
import { searchTables } from "./search-tables.js";
import { searchText } from "./search-text.js";
import { prepare, type Settings } from "./settings.js";
import { suspect } from "./suspect-text.js";

fc.configureGlobal({ seed: Number(process.env.SEED ?? 20261122) });

const options = { policy: BUILT_IN_POLICY };
const settings = prepare(options);
/** The same by how strict the search is. */
const byStrictness = (["normal", "strict", "strictest"] as const).map((strictness) => {
  const strict = { policy: { ...BUILT_IN_POLICY, strictness } };
  return { options: strict, settings: prepare(strict) };
});
const keys = ["a", "pan", "card_ref", "cvv", "pin", "track1", "pin_block", "imei", "value", "text", "4111"];

/** What the searches react to. */
const BITS = [
  ..."cvv CVC2 cav2 csc cid pin PIN pan is was code value number imei tel no exp epb block track1 in on".split(
    " ",
  ),
  ..."123 1234 12345 560001 12/27 12 1 =2712101 ^A/B^2712 D27121011234F %B B ; ? | , : = # _ - + / x".split(
    " ",
  ),
  ...'%34 %20 %63 &#52; &nbsp; \\u0034 \\ " { } [ ] a1b2c3d4e5f60718 0412AC89ABCDEF67 NDExMTEx MTIz é – 日本 ٤١'.split(
    " ",
  ),
  "security code",
  "cvn2",
  "Prüfziffer",
  "Sicherheitszahl ",
  "código de segurança",
  "turvakoodi",
  "kod zabezpieczający",
  "セキュリティコード",
  "code on the back",
  "(3 digits)",
  "Geheimzahl",
  "NIP",
  "ПИН-код",
  "card number",
  "Kartennummer",
  "numéro de carte",
  "card_#",
  "cc# ",
  "encrypted pin",
  "pin block",
  "name,cvv,pin\na,123,4567\n",
  "card verification;n\n123;4\n",
  '{"cvv":12}',
  '\n{"cvv":"123"}',
  "[4.111111111111111e+15]",
  "[4111111111111112]",
  "2026-11-22T12:00:00Z",
  "550e8400-e29b-41d4-a716-446655440000",
  "A".repeat(70),
  "\n",
  "\t",
  " ",
];

const digits = fc.oneof(
  fc.stringMatching(/^\d{3,20}$/),
  fc
    .tuple(fc.constantFrom("4", "51", "2221", "37", "62", "5018", "1", "77"), fc.stringMatching(/^\d{18}$/))
    .chain(([prefix, filler]) => fc.integer({ min: 11, max: 18 }).map((n) => (prefix + filler).slice(0, n)))
    .map((payload) => payload + luhnDigit(payload)),
);
const written = fc
  .tuple(
    digits,
    fc.constantFrom("", " ", "-", ".", "/", "_", "\u00a0", "\u200b", "\u0000", "\u007f", "  "),
    fc.constantFrom(3, 4, 6),
  )
  .map(([number, sign, size]) => (number.match(new RegExp(`.{1,${size}}`, "g")) ?? []).join(sign));
const carried = written.map((number) => Buffer.from(`ab${number}`).toString("base64"));

const cardBits = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...BITS) },
        { weight: 2, arbitrary: written },
        carried,
      ),
      { maxLength: 8 },
    ),
    fc.constantFrom("", "", " ", ": "),
  )
  .map(([parts, joint]) => parts.join(joint));

/** What the searches find where nothing keeps them from looking. */
function searched(text: string, meaning: number, settings: Settings): Draft {
  const draft = new Draft(text);
  searchTables(draft, settings);
  searchText(draft, meaning, settings);
  return draft;
}

/** What they find in what the quick looks pass over. */
function passedOver(text: string, meaning: number, settings: Settings) {
  const suspected = suspect(text, meaning, settings);
  const plain = suspected.text ? [] : searched(text, meaning, settings).findings;
  if (suspected.base64) return plain;
  const carried = base64Runs(text).map(({ decoded }) => scanValue(decoded, { meaning, depth: 1 }, settings));
  return [...plain, ...carried.flatMap(({ findings }) => findings)];
}

describe("what the quick looks pass over", { timeout: 120_000 }, () => {
  it("is text in which the searches find nothing", () => {
    fc.assert(
      fc.property(cardBits, fc.constantFrom(...keys), fc.constantFrom(...byStrictness), (text, key, by) => {
        expect(passedOver(text, by.settings.classify(key), by.settings)).toEqual([]);
      }),
      { numRuns: 20_000 },
    );
  });

  it("is a string in JSON whose value holds nothing, however it is written", () => {
    const write = fc.constantFrom<(text: string) => string>(
      (text) => JSON.stringify(text),
      (text) => JSON.stringify(text).replaceAll("/", "\\/"),
      (text) => JSON.stringify(text).replace(/[1-3]/g, (digit) => `\\u003${digit}`),
    );
    fc.assert(
      fc.property(cardBits, fc.constantFrom(...keys), write, fc.constantFrom(...byStrictness), (...given) => {
        const [text, key, written, { settings, options }] = given;
        const found = scanValue(text, { meaning: settings.classify(key), depth: 0 }, settings);
        fc.pre(found.findings.length > 0);
        const { findings } = scanJson(`{"x":0,${JSON.stringify(key)}:${written(text)}}`, options);
        expect(findings.filter(({ path }) => path === `/${key}`).length).toBeGreaterThan(0);
      }),
      { numRuns: 5_000 },
    );
  });

  it("is no writing of a card that the matrix knows", () => {
    expect([...positives(3)].flatMap(({ message }) => passedOver(message, 0, settings))).toEqual([]);
  });

  it.each([
    ["pan.label", "x card_# 4111111111111112"],
    ["pan.label", "a cc# 4111111111111112"],
    ["cvv.label", "c%76v: 123"],
    ["cvv.key", 'log\n{"cvv":12}'],
    ["cvv.key", '{"cvv":12}'],
    ["pinblock.key", '{"pin_block":"ABCDEFABCDEFABCD"}'],
    ["pan.range", "\nNDExMTExMTExMTExMTExMQ"],
    ["pan.range", "\\NDExMTExMTExMTExMTExMQ"],
    ["pan.range", `iVBORw0KGgo${"A".repeat(80)} 4111111111111111`],
    ["pan.range", `${"A".repeat(300)}-4111 1111 1111 1111`],
    ["pan.range", Buffer.from("\xff\xfe 4111111111111111 \xff", "latin1").toString("base64")],
    ["cvv.label", `${"A".repeat(300)}-cvv-123`],
    ["cvv.label", `cvv: 123/${"A".repeat(300)}`],
    ["pinblock.label", `epb 0412AC89ABCDEF67/${"A".repeat(300)}`],
    ["pinblock.label", `${"A".repeat(300)} epb 0412AC89ABCDEF67`],
  ])("is no %s in %j", (rule, text) => {
    expect(scanJson(JSON.stringify(["", text]), options).findings.map((finding) => finding.rule)).toContain(
      rule,
    );
  });

  it("is no number that holds digits in base64", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{12,19}$/), (number) => {
        expect(Buffer.from(number, "base64").toString("utf8")).not.toMatch(/\p{Nd}{2}/u);
      }),
      { numRuns: 20_000 },
    );
  });

  it("is no card in what has the hyphens of a UUID, whatever its signs are in base64", () => {
    const sign = fc.constantFrom(..."ABCDMNOPTjzy0123456789abcdefwxv+/_-".split(""));
    const signs = (units: number) => fc.string({ unit: sign, minLength: units, maxLength: units });
    const uuid = fc.tuple(...[8, 4, 4, 4, 12].map(signs)).map((parts) => parts.join("-"));
    fc.assert(
      fc.property(uuid, (text) => {
        expect(passedOver(text, 0, settings)).toEqual([]);
      }),
      { numRuns: 20_000 },
    );
  });

  it("is no shortest run of base64, wherever it begins", () => {
    const missed = Array.from(
      { length: 12 },
      (_, before) => `${"é ".repeat(before % 3)}${" ".repeat(before)}`,
    )
      .map((before) => JSON.stringify(`${before}NTAxODAwMDAwMDA5 `))
      .filter((text) => scanJson(text, options).findings.length === 0);
    expect(missed).toEqual([]);
  });
});
