import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProgramLog, windowBytesMax, windowMs } from "./program-log.js";

describe("the log of a program", () => {
  let told: string[];
  let log: ProgramLog;
  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    log = new ProgramLog((text) => told.push(text.toString()));
  });
  afterEach(() => vi.useRealTimers());
  const write = (text: string): void => log.push(Buffer.from(text));

  it("is told in whole lines, whatever the chunks are", () => {
    write("one\ntw");
    vi.advanceTimersByTime(windowMs);
    write("o\n");
    vi.advanceTimersByTime(windowMs);
    expect(told).toEqual(["one", "two"]);
  });

  it("is told to its end, line end or not", () => {
    write("one\n\ntwo");
    log.end();
    log.end();
    expect(told).toEqual(["one\ntwo"]);
  });

  it("is bounded in a window, and says how much it left out", () => {
    for (let i = 0; i < 20; i++) write(`${"x".repeat(999)}\n`);
    vi.advanceTimersByTime(windowMs);
    expect(told).toHaveLength(1);
    expect(told[0]?.length).toBeLessThan(windowBytesMax + 100);
    expect(told[0]).toMatch(/\n\[11988 more bytes\]$/);
    write("after\n");
    vi.advanceTimersByTime(windowMs);
    expect(told[1]).toBe("after");
  });

  it("keeps nothing of a line that does not end", () => {
    for (let i = 0; i < 100; i++) write("x".repeat(1_000));
    write("\nafter\n");
    log.end();
    expect(told).toEqual(["after\n[100000 more bytes]"]);
  });
});
