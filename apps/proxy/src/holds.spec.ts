import { describe, expect, it, vi } from "vitest";
import { Holds, type Verdict } from "./holds.js";

const granted: Verdict = { verdict: "granted", requestDigest: "d1", by: "company:lead", byName: "Lead" };
const never = new AbortController().signal;
const now = new Date("2026-11-22T12:00:00.000Z");
const held = (): Holds => {
  const holds = new Holds();
  holds.add(
    { approvalId: "a1", sessionId: "s1", requestDigest: "d1", expiresAt: new Date(now.getTime() + 60_000) },
    now,
  );
  return holds;
};

describe("a hold", () => {
  it("is not taken up by another call, another session, or while someone waits", async () => {
    const holds = held();
    expect(holds.abandoned("s1", "d2")).toBeUndefined();
    expect(holds.abandoned("s2", "d1")).toBeUndefined();
    const waiting = holds.wait("a1", never);
    expect(holds.abandoned("s1", "d1")).toBeUndefined();
    holds.decide("a1", granted);
    expect(await waiting).toEqual(granted);
  });

  it("hands its decision out once", async () => {
    const holds = held();
    holds.decide("a1", granted);
    expect(await holds.wait("a1", never)).toEqual(granted);
    expect(await holds.wait("a1", never)).toEqual({ verdict: "expired" });
    expect(holds.size).toBe(0);
  });

  it("keeps its first decision", async () => {
    const holds = held();
    holds.decide("a1", { verdict: "denied", byName: "Lead" });
    holds.decide("a1", granted);
    expect(await holds.wait("a1", never)).toMatchObject({ verdict: "denied" });
  });

  it("stays for whoever asks again after its client left", async () => {
    const holds = held();
    const leaving = new AbortController();
    const first = holds.wait("a1", leaving.signal);
    leaving.abort();
    expect(await first).toBe("left");
    expect(holds.abandoned("s1", "d1")?.approvalId).toBe("a1");
    holds.decide("a1", granted);
    expect(await holds.wait("a1", never)).toEqual(granted);
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
