import { expect, it } from "vitest";
import { jsonValuesOf } from "./json-values.js";

it("every string and number is told with its place, its field's name and its token", () => {
  const text = '{ "a/b": [1.50, {"c~": "x\\"y"}], "d": true, "": "e", "f": [["g"]] }';
  const told = jsonValuesOf(text)?.map(({ start, end, ...value }) => ({
    ...value,
    token: text.slice(start, end),
  }));
  expect(told).toEqual([
    { value: "1.50", key: "a/b", path: "/a~1b/0", token: "1.50" },
    { value: 'x"y', key: "c~", path: "/a~1b/1/c~0", token: '"x\\"y"' },
    { value: "e", key: "", path: "/", token: '"e"' },
    { value: "g", key: "f", path: "/f/0/0", token: '"g"' },
  ]);
});

it.each(["", "{", '{"a":}', "text", "[".repeat(300) + "]".repeat(300)])(
  "%j is not taken for JSON",
  (text) => {
    expect(jsonValuesOf(text)).toBeUndefined();
  },
);

it("a text that is one value has no place in it", () => {
  expect(jsonValuesOf('"x"')).toEqual([{ start: 0, end: 3, value: "x", key: "", path: "" }]);
});
