import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineReader, LineTooLong, oneLine } from "./lines.js";

describe("a message on a line", () => {
  it("never becomes two, whatever line breaks it holds", () => {
    const hidden = '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete_customer"}}';
    for (const lineBreak of ["\n", "\r", "\r\n", "\u2028", "\u2029", "\u0085"]) {
      const line = oneLine(Buffer.from(`{"a":1${lineBreak}${hidden}${lineBreak}}`));
      expect(line.trimEnd()).not.toMatch(/[\n\r\u0085\u2028\u2029]/);
      expect(line.endsWith("\n")).toBe(true);
    }
  });

  it("says what it said before", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.constantFrom("", "\n", "\r\n"), (json, space) => {
        const pretty = space === "" ? json : `${space}${json}${space}`;
        expect(JSON.parse(oneLine(Buffer.from(pretty)))).toEqual(JSON.parse(json));
      }),
    );
    expect(JSON.parse(oneLine(Buffer.from('{"x":"a\u2028b"}')))).toEqual({ x: "a\u2028b" });
  });
});

describe("a reader of lines", () => {
  it("refuses a line that does not end, before it holds more than it may", () => {
    const reader = new LineReader(10);
    reader.push(Buffer.from("12345"));
    expect(() => reader.push(Buffer.from("678901"))).toThrow(LineTooLong);
    expect(() => new LineReader(3).push(Buffer.from("1234\n"))).toThrow(LineTooLong);
  });

  it("finds the same lines whatever the chunks are", () => {
    const text = 'a\r\n\n{"b":"é€😀"}\nc\r\n';
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 6 }), (cuts) => {
        const reader = new LineReader(100);
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const lines = at.slice(1).flatMap((end, i) => reader.push(bytes.subarray(at[i], end)));
        expect(lines.map(String)).toEqual(["a", '{"b":"é€😀"}', "c"]);
      }),
    );
  });
});
