import type { SessionGranted } from "@countersign/contracts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SessionView } from "./session.view.js";

const started = new Date("2026-11-23T10:00:00.000Z");
const later = (seconds: number) => new Date(started.getTime() + seconds * 1_000);
const granted = {
  sessionId: "s",
  endpoint: "payments",
  expiresAt: later(600).toISOString(),
} as SessionGranted;

beforeEach(() => void vi.useFakeTimers({ now: started }));
afterEach(() => void vi.useRealTimers());

const viewAt = (seconds: number) => {
  vi.setSystemTime(later(seconds));
  const view = new SessionView();
  view.grant(granted, later(seconds));
  return view;
};
const extend = (view: SessionView, seconds: number) =>
  view.extend("s", later(seconds).toISOString(), new Date());
const reasonOf = (view: SessionView) => {
  const ended = view.find("s")?.ended;
  return ended?.aborted ? String(ended.reason) : undefined;
};

describe("a session in the proxy's view", () => {
  it("ends by itself at its time, unless it was given more", () => {
    const view = viewAt(0);
    extend(view, 1200);
    vi.advanceTimersByTime(1_199_000);
    expect(reasonOf(view)).toBeUndefined();
    vi.advanceTimersByTime(1_000);
    expect(reasonOf(view)).toBe("its time is over");
  });

  it("runs on under the same signal when it is given more time, so that no stream is cut", () => {
    const view = viewAt(0);
    const before = view.find("s");
    extend(view, 1200);
    expect(view.find("s")?.ended).toBe(before?.ended);
    expect(view.find("s")?.session.expiresAt).toBe(later(1200).toISOString());
    view.end("s", "it was revoked");
    expect(before?.ended.aborted).toBe(true);
  });

  it("is not cut when an earlier extension is delivered again", () => {
    const view = viewAt(0);
    extend(view, 1200);
    extend(view, 2400);
    vi.advanceTimersByTime(1_300_000);
    extend(view, 1200);
    expect(reasonOf(view)).toBeUndefined();
    expect(view.find("s")?.session.expiresAt).toBe(later(2400).toISOString());
    vi.advanceTimersByTime(1_100_000);
    expect(reasonOf(view)).toBe("its time is over");
  });

  it("does not come back by more time after it was ended", () => {
    const view = viewAt(0);
    view.end("s", "it was revoked");
    extend(view, 1200);
    expect(reasonOf(view)).toBe("it was revoked");
  });

  it("is there when its grant and its extension are read again after its first end", () => {
    const view = viewAt(900);
    expect(reasonOf(view)).toBe("its time is over");
    extend(view, 1200);
    expect(reasonOf(view)).toBeUndefined();
    vi.advanceTimersByTime(300_000);
    expect(reasonOf(view)).toBe("its time is over");
  });

  it("is not made by more time alone", () => {
    const view = new SessionView();
    extend(view, 1200);
    expect(view.find("s")).toBeUndefined();
  });

  it("is forgotten an hour after its last end", () => {
    const view = viewAt(0);
    extend(view, 1200);
    vi.advanceTimersByTime(1_200_000 + 3_599_000);
    expect(view.find("s")).toBeDefined();
    vi.advanceTimersByTime(2_000);
    expect(view.find("s")).toBeUndefined();
  });
});
