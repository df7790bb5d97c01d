import { describe, expect, it } from "vitest";
import { Refusal } from "./refusal.js";
import { Streams } from "./streams.js";

describe("the streams of a session", () => {
  it("are refused beyond the bound, until one is closed", () => {
    const streams = new Streams(2);
    streams.open("a");
    const close = streams.open("a");
    expect(() => streams.open("a")).toThrow(Refusal);
    close();
    close();
    expect(() => streams.open("a")).not.toThrow();
    expect(() => streams.open("a")).toThrow(Refusal);
  });

  it("do not count for another session", () => {
    const streams = new Streams(1);
    streams.open("a");
    expect(() => streams.open("b")).not.toThrow();
  });
});
