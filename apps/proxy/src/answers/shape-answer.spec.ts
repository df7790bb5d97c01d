import type { Operation } from "@countersign/policy";
import { describe, expect, it } from "vitest";
import { type MayShow, shapeAnswer } from "./shape-answer.js";

const nothing = (): boolean => false;
const everything = (): boolean => true;
const except =
  (...names: string[]) =>
  (operation: Operation): boolean =>
    !names.includes(operation.kind === "resource" ? operation.uri : operation.name);

const shaped = (text: string, mayShow: MayShow): string => shapeAnswer(text, mayShow).text;

describe("an answer", () => {
  it("loses the tools that policy denies, and no sign of the others", () => {
    const text = `{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"a","x":1.10}, {"name":"b"} ,{"name":"c","y":"\\u00e9"}],"nextCursor":"n"}}`;
    expect(shaped(text, except("b"))).toBe(
      `{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"a","x":1.10}, {"name":"c","y":"\\u00e9"}],"nextCursor":"n"}}`,
    );
    expect(shaped(text, everything)).toBe(text);
    expect(JSON.parse(shaped(text, nothing))).toMatchObject({ result: { tools: [], nextCursor: "n" } });
  });

  it("loses them however the server writes the name of the list", () => {
    const text = `{"result":{"t\\u006fols":[{"name":"a"},{"name":"b"}]}}`;
    expect(shaped(text, except("b"))).toBe(`{"result":{"t\\u006fols":[{"name":"a"}]}}`);
  });

  it("tells which entries are not shown, by their place in what the server sent", () => {
    const text = `{"result":{"tools":[{"name":"a"},{"name":"b"},{"name":"c"}],"prompts":[{"name":"b"}]}}`;
    expect(shapeAnswer(text, except("a", "b")).leftOut).toEqual([
      "/result/tools/0",
      "/result/tools/1",
      "/result/prompts/0",
    ]);
    expect(shapeAnswer(text, everything).leftOut).toEqual([]);
  });

  it("loses prompts and resources alike", () => {
    const text = `{"result":{"prompts":[{"name":"p"},{"name":"q"}],"resources":[{"uri":"test://x"},{"uri":"test://y"}]}}`;
    expect(shaped(text, except("p", "test://y"))).toBe(
      `{"result":{"prompts":[{"name":"q"}],"resources":[{"uri":"test://x"}]}}`,
    );
  });

  it("tells policy what a tool says about itself", () => {
    const asked = new Set<string>();
    const text = `{"result":{"tools":[{"name":"a","annotations":{"readOnlyHint":true,"title":"A","destructiveHint":"no"}}]}}`;
    shapeAnswer(text, (operation) => asked.add(JSON.stringify(operation)).size > 0);
    expect([...asked]).toEqual([`{"kind":"tool","name":"a","annotations":{"readOnlyHint":true}}`]);
  });

  it("is for one principal alone, and a list only for a while", () => {
    const cached = (more: string): string => `{"result":{"ttlMs":3600000,"cacheScope":"public"${more}}}`;
    expect(shaped(cached(`,"tools":[]`), everything)).toBe(
      `{"result":{"ttlMs":60000,"cacheScope":"private","tools":[]}}`,
    );
    expect(shaped(cached(`,"contents":[]`), everything)).toBe(
      `{"result":{"ttlMs":3600000,"cacheScope":"private","contents":[]}}`,
    );
  });

  it("keeps whatever only looks like a list", () => {
    for (const text of [
      `{"result":{"tools":"none"}}`,
      `{"result":{"tools":[1,null,"x",{"title":"nameless"}]}}`,
      `{"result":{"content":[{"tools":[{"name":"a"}]}]}}`,
      `{"method":"x","params":{"tools":[{"name":"a"}]}}`,
      `{"result":{"structuredContent":{"cacheScope":"public"}}}`,
      `{"result":{"capabilities":{"tools":{"listChanged":true}}}}`,
    ]) {
      expect(shaped(text, nothing)).toBe(text);
    }
  });

  it("is refused where a key is named twice, because readers would differ", () => {
    expect(() => shapeAnswer(`{"result":{"tools":[],"tools":[{"name":"a"}]}}`, nothing)).toThrow(/duplicate/);
  });
});
