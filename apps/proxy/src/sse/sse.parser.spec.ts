import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SseParser, StreamRefused, writeSse } from "./sse.parser.js";

const parse = (text: string, cut = Number.POSITIVE_INFINITY, bytesMax = 10_000) => {
  const parser = new SseParser(bytesMax);
  const bytes = Buffer.from(text);
  const events = [];
  for (let at = 0; at < bytes.length; at += cut) events.push(...parser.push(bytes.subarray(at, at + cut)));
  return { events, complete: parser.complete };
};

describe("a stream's parser", () => {
  it("refuses bytes that are not UTF-8", () => {
    expect(() => new SseParser(100).push(Buffer.from([0x64, 0xff, 0xfe, 0x0a, 0x0a]))).toThrow(StreamRefused);
  });

  it("refuses an event past the bound instead of keeping it", () => {
    expect(() => parse(`data: ${"x".repeat(200)}`, 10, 100)).toThrow(StreamRefused);
  });

  it("joins data lines, keeps ids and retry, and takes comments for nothing", () => {
    const { events } = parse(
      `: hello\n\nid: 1\nretry: 5\nevent: message\ndata: a\ndata:  b\n\nid: 2\ndata:\n\n`,
    );
    expect(events).toMatchObject([
      { raw: ": hello\n\n" },
      { id: "1", retry: "5", event: "message", data: "a\n b" },
      { id: "2", data: "" },
    ]);
    expect(events[0]?.data).toBeUndefined();
  });

  it.each(["\n", "\r\n", "\r"])("cuts at blank lines made of %j", (end) => {
    const { events } = parse(`data: one${end}${end}data: two${end}${end}: end${end}${end}`);
    expect(events.map(({ data }) => data)).toEqual(expect.arrayContaining(["one", "two"]));
  });

  it("does not take half an event for one", () => {
    const { events, complete } = parse("data: whole\n\ndata: half");
    expect(events.map(({ data }) => data)).toEqual(["whole"]);
    expect(complete).toBe(false);
  });

  it("finds the same events whatever the chunks are, and loses no byte", () => {
    const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\r\n\u{FEFF}]/gu, "é"));
    const end = fc.constantFrom("\n", "\r\n");
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1 }),
        end,
        fc.integer({ min: 1, max: 9 }),
        (lines, eol, cut) => {
          const text = lines.map((data) => `data: ${data}${eol}${eol}`).join("");
          const { events, complete } = parse(text, cut, 1_000_000);
          expect(events.map(({ data }) => data)).toEqual(lines);
          expect(events.map(({ raw }) => raw).join("")).toBe(text);
          expect(complete).toBe(true);
        },
      ),
    );
  });

  it("writes what it reads", () => {
    const [event] = parse("id: 9\nevent: message\nretry: 3\ndata: x\n\n").events;
    expect(event && parse(writeSse(event, "a\nb")).events).toMatchObject([
      { id: "9", event: "message", retry: "3", data: "a\nb" },
    ]);
  });
});
