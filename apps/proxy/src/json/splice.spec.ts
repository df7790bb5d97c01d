import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementsOf, extentAt, membersOf, rootExtent } from "./extents.js";
import { cutsOf, splice } from "./splice.js";

const cut = (text: string, keeps: (index: number) => boolean): string =>
  splice(text, cutsOf(elementsOf(text, rootExtent(text)), keeps));

describe("cutting an array", () => {
  const text = '[ {"a":[1,2]} , "b\\",]" ,\n 1.10e+5, null ]';

  it("leaves the text of what stays as it is", () => {
    expect(cut(text, () => true)).toBe(text);
    expect(cut(text, (index) => index !== 0)).toBe('[ "b\\",]" ,\n 1.10e+5, null ]');
    expect(cut(text, (index) => index === 1)).toBe('[ "b\\",]" ]');
    expect(cut(text, (index) => index < 2)).toBe('[ {"a":[1,2]} , "b\\",]" ]');
    expect(cut(text, () => false)).toBe("[  ]");
  });

  it("keeps exactly what it is told to, in whatever JSON", () => {
    const element = fc.tuple(fc.jsonValue({ depthSize: "small" }), fc.boolean());
    fc.assert(
      fc.property(fc.array(element, { maxLength: 8 }), fc.constantFrom(0, 1, 3), (elements, space) => {
        const whole = JSON.stringify(
          elements.map(([value]) => value),
          undefined,
          space,
        );
        const kept = cut(whole, (index) => elements[index]?.[1] === true);
        const expected = elements.flatMap(([value, stays]) => (stays ? [value] : []));
        expect(JSON.parse(kept)).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
      { seed: 20_261_122, numRuns: 500 },
    );
  });
});

describe("finding places in JSON", () => {
  it("follows keys, escaped ones too", () => {
    const text = ' { "x" : { "re\\u0073ult": [ true ] }, "y":-0.5 } ';
    const found = extentAt(text, ["x", "result"]);
    expect(found && text.slice(found.start, found.end)).toBe("[ true ]");
    expect(membersOf(text, rootExtent(text)).map(({ key }) => key)).toEqual(["x", "y"]);
    expect(extentAt(text, ["x", "none"])).toBeUndefined();
    expect(extentAt(text, ["y", "none"])).toBeUndefined();
  });
});
