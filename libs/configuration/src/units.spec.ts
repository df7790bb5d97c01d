import { describe, expect, it } from "vitest";
import { byteSize } from "./byte-size.js";
import { durationSeconds } from "./duration.js";
import { interpolate } from "./interpolate.js";

describe("durations", () => {
  it.each([
    ["90s", 90],
    ["15m", 900],
    ["1h", 3600],
    ["1h30m", 5400],
    ["1d", 86_400],
    ["", undefined],
    ["0s", undefined],
    ["15", undefined],
    ["15 m", undefined],
    ["-5m", undefined],
    ["1.5h", undefined],
    ["15min", undefined],
    ["9999999s", undefined],
  ])("%j is %j seconds", (text, seconds) => {
    expect(durationSeconds(text)).toBe(seconds);
  });
});

describe("sizes", () => {
  it.each([
    ["4MiB", 4_194_304],
    ["512KiB", 524_288],
    ["0KiB", undefined],
    ["4MB", undefined],
    ["4", undefined],
    ["constructor", undefined],
  ])("%j is %j bytes", (text, bytes) => {
    expect(byteSize(text)).toBe(bytes);
  });
});

describe("variables in a text", () => {
  const env = { HOST: "a", EMPTY: "", NESTED: "${HOST}" };
  it.each([
    ["http://${HOST}/", "http://a/", []],
    ["${EMPTY:-b}${MISSING:-}", "b", []],
    ["${MISSING}${EMPTY}", "", ["MISSING", "EMPTY"]],
    ["${NESTED}", "${HOST}", []],
    ["$HOST ${", "$HOST ${", []],
  ])("%j becomes %j", (given, text, missing) => {
    expect(interpolate(given, env)).toEqual({ text, missing });
  });
});
