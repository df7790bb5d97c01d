import { describe, expect, it } from "vitest";
import { dayOf } from "./day-of.js";

describe("the day", () => {
  it("is that of UTC, on both sides of midnight, forth and back", () => {
    const days: [string, string][] = [
      ["2026-11-22T23:59:59.999Z", "2026-11-22"],
      ["2026-11-23T00:00:00.000Z", "2026-11-23"],
      ["2026-11-22T23:59:59.999Z", "2026-11-22"],
      ["1969-12-31T23:59:59.999Z", "1969-12-31"],
    ];
    for (const [at, day] of days) expect(dayOf(new Date(at))).toBe(day);
  });
});
