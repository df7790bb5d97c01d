import canonicalize from "canonicalize";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, depthMax } from "./canonical-json.js";
import { CanonicalizationRefused } from "./errors.js";

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe("the canonical form", () => {
  it.each([
    ["undefined", undefined],
    ["an undefined member", { a: undefined }],
    ["an undefined item", [undefined]],
    ["a hole in an array", Array(1)],
    ["a function", { a: () => 1 }],
    ["a symbol", { a: Symbol("a") }],
    ["a member named by a symbol", { [Symbol("a")]: 1 }],
    ["a bigint", { a: 1n }],
    ["NaN", { a: Number.NaN }],
    ["infinity", [Infinity]],
    ["a date", { a: new Date(0) }],
    ["a map", new Map([["a", 1]])],
    ["a lone surrogate in a text", { a: "\ud800" }],
    ["a lone surrogate in a name", { "\udc00": 1 }],
    ["a value nested too deep", nested(depthMax + 1)],
  ])("is refused to %s rather than left out", (_, value) => {
    expect(() => canonicalJson(value)).toThrow(CanonicalizationRefused);
  });

  it("is refused to a value that holds itself", () => {
    const value: Record<string, unknown> = {};
    value["self"] = value;
    expect(() => canonicalJson(value)).toThrow(CanonicalizationRefused);
  });

  it("says where the refused value is, and not what it is", () => {
    expect(() => canonicalJson({ "a/b": [{ c: Number.NaN }] })).toThrow(`"/a~1b/0/c"`);
  });

  it("is that of RFC 8785 §3.2.2 for its own example", () => {
    const value: unknown = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    );
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it("orders names by UTF-16 code units, as RFC 8785 §3.2.3 shows", () => {
    const names = ["\u20ac", "\r", "\ufb33", "1", "\ud83d\ude00", "\u0080", "\u00f6"];
    const value = Object.fromEntries(names.map((name) => [name, 0]));
    const ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
    expect(canonicalJson(value)).toBe(`{${ordered.map((name) => `${JSON.stringify(name)}:0`).join(",")}}`);
  });

  it("is what another implementation of RFC 8785 writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
    );
  });

  it("leaves out what it is told to, and nothing else of that name", () => {
    const leaveOut = (object: object) => ("digest" in object ? "text" : undefined);
    const value = { a: { text: "long", digest: 1 }, b: { text: "short" }, text: "own" };
    expect(canonicalJson(value, leaveOut)).toBe('{"a":{"digest":1},"b":{"text":"short"},"text":"own"}');
  });

  it("keeps a member that is named __proto__", () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
  });

  it("is one text for one value, whatever the order of its members", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        const text = canonicalJson(value);
        expect(canonicalJson(reversed)).toBe(text);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });
});
