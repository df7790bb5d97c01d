import { describe, expect, it, vi } from "vitest";
import { Holds, type Verdict } from "./holds.js";

const granted: Verdict = { verdict: "granted", requestDigest: "d1", by: "company:lead", byName: "Lead" };
const never = new AbortController().signal;
const now = new Date("2026-11-22T12:00:00.000Z");
const about = { approvalId: "a1", sessionId: "s1" };
const opened = { ...about, callId: "c1", requestDigest: "d1", expiresAt: "2026-11-22T12:01:00.000Z" };
const held = (): Holds => {
  const holds = new Holds();
  holds.opened(opened, now);
  return holds;
};

describe("a hold", () => {
  it("is not taken up by another call, another session, or while someone waits", () => {
    const holds = held();
    expect(holds.abandoned("s1", "d1")).toBeUndefined();
    holds.left({ ...about, callId: "another call" });
    expect(holds.abandoned("s1", "d1")).toBeUndefined();
    holds.left({ ...about, callId: "c1" });
    expect(holds.abandoned("s1", "d2")).toBeUndefined();
    expect(holds.abandoned("s2", "d1")).toBeUndefined();
    expect(holds.abandoned("s1", "d1")).toBe("a1");
  });

  it("goes to the first taker on the log, and to no other until that one leaves too", async () => {
    const holds = held();
    holds.left({ ...about, callId: "c1" });
    const first = holds.won("a1", "c2", 1_000);
    const second = holds.won("a1", "c3", 1_000);
    holds.taken({ ...about, callId: "c3" });
    holds.taken({ ...about, callId: "c2" });
    expect([await first, await second]).toEqual([false, true]);
    expect(holds.abandoned("s1", "d1")).toBeUndefined();
    // The first owner's leaving, heard of again from the log, takes nothing away.
    holds.left({ ...about, callId: "c1" });
    expect(holds.abandoned("s1", "d1")).toBeUndefined();
    holds.left({ ...about, callId: "c3" });
    expect(holds.abandoned("s1", "d1")).toBe("a1");
  });

  it("is nobody's where the log does not say so in time", async () => {
    const holds = held();
    holds.left({ ...about, callId: "c1" });
    expect(await holds.won("a1", "c2", 1)).toBe(false);
    expect(await holds.won("unknown", "c2", 1)).toBe(false);
  });

  it("hands its decision out once", async () => {
    const holds = held();
    holds.decide("a1", granted);
    expect(await holds.wait("a1", never)).toEqual(granted);
    expect(await holds.wait("a1", never)).toEqual({ verdict: "expired" });
    expect(holds.size).toBe(0);
  });

  it("keeps its first decision, heard of before or after the hold itself", async () => {
    const holds = new Holds();
    holds.decide("a1", { verdict: "denied", byName: "Lead" });
    holds.opened(opened, now);
    holds.decide("a1", granted);
    expect(await holds.wait("a1", never)).toMatchObject({ verdict: "denied" });
  });

  it("stays for whoever asks again after its client left", async () => {
    const holds = held();
    const leaving = new AbortController();
    const first = holds.wait("a1", leaving.signal);
    leaving.abort();
    expect(await first).toBe("left");
    holds.decide("a1", granted);
    expect(await holds.wait("a1", never)).toEqual(granted);
  });

  it("that was over before this process heard of it is none", () => {
    const holds = new Holds();
    holds.opened(opened, new Date("2026-11-22T12:02:00.000Z"));
    expect(holds.size).toBe(0);
  });

  it("expires by itself", async () => {
    vi.useFakeTimers();
    try {
      const holds = held();
      const waiting = holds.wait("a1", never);
      vi.advanceTimersByTime(60_000);
      expect(await waiting).toEqual({ verdict: "expired" });
      expect(holds.size).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
