import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { brandExamples } from "./brands.js";
import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { luhnDigit } from "./luhn.js";
import { scanJson } from "./scan.js";
import type { ScanOptions } from "./settings.js";
import { PLACES_MAX, StreamMemory } from "./stream-memory.js";

const pan = "4111111111111111";
const options: ScanOptions = { policy: BUILT_IN_POLICY, fingerprintKey: new Uint8Array(32) };

/** What goes on of a stream's messages, each searched by itself first, as the proxy does. */
function passedOn(
  messages: readonly unknown[],
  using = options,
  about: (index: number) => string = () => "log",
) {
  const memory = new StreamMemory();
  return messages.map((message, index) => {
    const { masked } = scanJson(JSON.stringify(message), using);
    const isContent = (path: string): boolean => path !== "/id";
    return memory.follow(masked, () => ({ about: about(index), isContent }), using);
  });
}
const textsOf = (texts: readonly string[], using = options): string[] =>
  passedOn(
    texts.map((data) => ({ data })),
    using,
  ).map(({ masked }) => (JSON.parse(masked) as { data: string }).data);
const digitsOf = (text: string): string => text.normalize("NFKC").replaceAll(/\D/g, "");

describe("a card over two messages", () => {
  it("is masked in the second one, wherever it is cut: no more than first six and last four are added", () => {
    for (let cut = 1; cut < pan.length; cut++) {
      const [first, second] = textsOf([`card ${pan.slice(0, cut)}`, `${pan.slice(cut)} it is`]);
      expect(first).toBe(`card ${pan.slice(0, cut)}`);
      const shown = cut <= 6 ? "411111******1111".slice(cut) : "*".repeat(pan.length - cut);
      expect(second).toBe(`${shown} it is`);
    }
  });

  it("is reported in the second, by its place and no more digits than may be shown", () => {
    const [first, second] = passedOn([{ data: "4111" }, { data: "111111111111" }]);
    expect(first?.findings).toEqual([]);
    expect(second?.findings).toMatchObject([
      { kind: "pan", brand: "visa", path: "/data", start: 0, end: 12, rule: "pan.stream", last4: "1111" },
    ]);
    const [, late] = passedOn([{ data: "411111111111" }, { data: "1111" }]);
    expect(late?.findings).toMatchObject([
      { rule: "pan.stream", fingerprint: second?.findings[0]?.fingerprint },
    ]);
    expect(late?.findings[0]).not.toHaveProperty("last4");
    expect(late?.findings[0]).not.toHaveProperty("first6");
  });

  it.each([
    ["printed groups", ["card 4111 1111", "1111 1111"], "**** ****"],
    ["a separator at the end", ["4111 1111 ", "1111 1111, thanks"], "**** ****, thanks"],
    ["a separator at the beginning", ["4111-11", "-11-1111-1111"], "-**-****-1111"],
    ["an expiry date behind it", ["4111 1111", "1111 1111 12/28"], "**** **** 12/28"],
    ["words around both", ["pay with 4111111", "111111111 now"], "********* now"],
    ["a date before it", ["2026-11-22 4111 1111", " 1111 1111"], " **** ****"],
    ["another way of cutting", ["4111 1", "111 1111 1111"], "1** **** 1111"],
    [
      "Unicode digits",
      ["\u0664\u0661\u0661\u0661", "\u0661".repeat(12)],
      "\u0661\u0661******\u0661\u0661\u0661\u0661",
    ],
    ["an escaped line behind it", ["4111", '111111111111\n"x"'], '11******1111\n"x"'],
  ])("is found with %s", (_, texts, second) => {
    expect(textsOf(texts)[1]).toBe(second);
  });
});

describe("a card over many messages", () => {
  it("is masked in the last, digit by digit", () => {
    expect(textsOf(pan.split("")).join("")).toBe("411111111111111*");
  });

  it.each([
    ["two and two", ["41", "1111 11", "11", "111111"]],
    ["printed groups", ["4111", "1111", "1111", "1111"]],
    ["groups with separators", ["4111 1111", "1111", "1111 12/28"]],
    ["a blank of its own", ["4111", " ", "1111", " ", "1111", " ", "1111"]],
    ["an empty text between", ["41111111", "", "11111111"]],
    ["groups with dots", ["4111.", "1111.", "1111.", "1111"]],
    ["words first", ["Card: 4111", "1111", "1111", "1111."]],
  ])("is found as %s", (_, texts) => {
    expect(digitsOf(textsOf(texts).join(""))).not.toContain(pan);
  });

  it("is found behind another one", () => {
    const texts = textsOf(["41111111", "11111111", "55555555", "55554444"]);
    expect(texts).toEqual(["41111111", "********", "55555555", "********"]);
  });

  it("of nineteen digits is masked past the sixteen that are a card as well", () => {
    const sixteen = "4000000000000002";
    const long = [...Array(1000).keys()].map((n) => sixteen + String(n).padStart(3, "0"));
    const whole = long.find((digits) => luhnDigit(digits.slice(0, -1)) === digits.at(-1)) ?? "";
    expect(textsOf([whole.slice(0, 8), whole.slice(8, 16), whole.slice(16)])).toEqual([
      "40000000",
      "********",
      "***",
    ]);
  });
});

describe("what is no card over messages", () => {
  const findingsIn = (...messages: unknown[]) => passedOn(messages).flatMap(({ findings }) => findings);

  it("passes: other places, other calls, other things in between", () => {
    expect(findingsIn({ data: "41111111" }, { message: "11111111" })).toEqual([]);
    expect(findingsIn({ data: ["41111111", "x"] }, { data: ["x", "11111111"] })).toEqual([]);
    expect(findingsIn({ data: "41111111" }, { data: "and" }, { data: "11111111" })).toEqual([]);
    const memory = passedOn([{ data: "41111111" }, { data: "11111111" }], options, String);
    expect(memory.flatMap(({ findings }) => findings)).toEqual([]);
  });

  it("passes: words at the border, longer runs, numbers, names that are no content", () => {
    expect(findingsIn({ data: "41111111 is" }, { data: "11111111" })).toEqual([]);
    expect(findingsIn({ data: "41111111" }, { data: "is 11111111" })).toEqual([]);
    expect(findingsIn({ data: "9941111111" }, { data: "1111111199" })).toEqual([]);
    expect(findingsIn({ data: `9999${pan}` }, { data: "9999" })).toEqual([]);
    expect(findingsIn({ data: 41111111 }, { data: 11111111 })).toEqual([]);
    expect(findingsIn({ id: "41111111" }, { id: "11111111" })).toEqual([]);
  });

  it("passes: dates, versions and identifiers that come again", () => {
    expect(findingsIn({ date: "41111111" }, { date: "11111111" })).toEqual([]);
    expect(findingsIn({ taskId: "42424242" }, { taskId: "42424242" })).toEqual([]);
    expect(textsOf(["42424242", "42424242"])).toEqual(["42424242", "********"]);
  });

  it.each([
    ["counters", (n: number) => String(n)],
    ["counters of four digits", (n: number) => String(4000 + n)],
    ["progress", (n: number) => `${n}/300`],
    ["times in seconds", (n: number) => String(1_795_377_600 + n)],
    ["times in milliseconds", (n: number) => String(1_795_377_600_000 + n * 137)],
    ["dates", (n: number) => new Date(1_795_377_600_000 + n * 1_000).toISOString().slice(0, 19)],
    ["pages", (n: number) => `${n}-${n + 10}`],
    ["amounts", (n: number) => (n * 1.37).toFixed(2)],
  ])("passes: %s, one to a message", (_, text) => {
    const texts = Array.from({ length: 300 }, (__, n) => text(n));
    expect(textsOf(texts)).toEqual(texts);
  });

  it("is seldom a random number, one to a message with nothing else in it", () => {
    const numbers = (digits: number) =>
      fc.sample(fc.stringMatching(new RegExp(`^\\d{${digits}}$`)), { seed: 20261122, numRuns: 4_000 });
    for (const digits of [1, 2, 4, 6, 8, 10]) {
      const texts = numbers(digits);
      let hits = 0;
      for (let from = 0; from < texts.length; from += 20) {
        hits += textsOf(texts.slice(from, from + 20)).filter((text) => text.includes("*")).length;
      }
      expect(hits / texts.length).toBeLessThan(0.01);
    }
  });

  it("passes: a shape that policy allows", () => {
    const allow = [{ pattern: "ORD-################", reason: "orders", expires: "2099-01-01" }];
    const allowing = { ...options, policy: { ...BUILT_IN_POLICY, allow }, today: "2026-11-22" };
    expect(textsOf(["ORD-41111111", "11111111"], allowing)).toEqual(["ORD-41111111", "11111111"]);
    expect(textsOf(["ORD-41111111", "11111111"])[1]).toBe("********");
  });
});

describe("the policy", () => {
  it("may ask for the check digit alone, or name a field that holds cards", () => {
    const unknown = `900000000000000${luhnDigit("900000000000000")}`;
    const halves = [unknown.slice(0, 8), unknown.slice(8)];
    expect(textsOf(halves)).toEqual(halves);
    const strict = { ...options, policy: { ...BUILT_IN_POLICY, strictness: "strict" as const } };
    expect(textsOf(halves, strict)[1]).toBe("********");
    const [, named] = passedOn(halves.map((card_number) => ({ card_number })));
    expect(named?.findings).toMatchObject([{ rule: "pan.stream", path: "/card_number" }]);
  });
});

describe("the memory", () => {
  it("is bounded: what was written to last stays", () => {
    const memory = new StreamMemory();
    const about = () => ({ about: "", isContent: () => true });
    for (let place = 0; place <= PLACES_MAX; place++) {
      memory.follow(JSON.stringify({ [`p${place}`]: "41111111" }), about, options);
    }
    const ends = (place: string) =>
      memory.follow(JSON.stringify({ [place]: "11111111" }), about, options).findings.length;
    expect([ends("p0"), ends("p1"), ends(`p${PLACES_MAX}`)]).toEqual([0, 0, 1]);
  });

  it("asks nothing of a message that ends in no digit, nor of the version of JSON-RPC", () => {
    const asked = () => expect.unreachable("nobody need know");
    const json = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"12 of it","n":12}}';
    expect(new StreamMemory().follow(json, asked, options)).toEqual({ masked: json, findings: [] });
  });

  it("lets no card through whole, whatever it is cut into", () => {
    const card = fc
      .constantFrom(...brandExamples().filter(({ length }) => length >= 14))
      .chain(({ prefix, length }) =>
        fc.stringMatching(new RegExp(`^\\d{${length - 1 - prefix.length}}$`)).map((filler) => {
          const payload = prefix + filler;
          return payload + luhnDigit(payload);
        }),
      );
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 18 }), { minLength: 1, maxLength: 18 });
    fc.assert(
      fc.property(card, cuts, fc.constantFrom("", " ", "-"), (digits, at, sign) => {
        const written = digits.replaceAll(/\d{4}(?=\d)/g, `$&${sign}`);
        const borders = at.filter((cut) => cut < written.length).toSorted((a, b) => a - b);
        const parts = [0, ...borders].map((from, i) => written.slice(from, borders[i]));
        const joined = textsOf(parts).join("");
        expect(digitsOf(joined)).not.toContain(digits);
        expect(joined).toHaveLength(written.length);
      }),
      { seed: Number(process.env["SEED"] ?? 20261122), numRuns: 3_000 },
    );
  });
});
