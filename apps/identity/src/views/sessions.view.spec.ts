import { describe, expect, it } from "vitest";
import { type SessionState, SessionsView } from "./sessions.view.js";

const at = new Date("2026-11-22T10:00:00.000Z");
const active = (seconds: number): SessionState => ({
  status: "active",
  principalId: "company:a",
  endpoint: "payments",
  expiresAt: new Date(at.getTime() + seconds * 1_000),
});

describe("what is known of a session", () => {
  it("gives no time to one that is unknown, denied, ended or past its end", () => {
    const view = new SessionsView();
    view.apply("denied", { status: "denied", reason: "no" }, at);
    view.apply("ended", active(60), at);
    view.apply("ended", { status: "ended" }, at);
    view.apply("past", active(-1), at);
    for (const id of ["unknown", "denied", "ended", "past"]) expect(view.secondsLeft(id, at)).toBe(0);
  });

  it("never lets an ended session come to life", () => {
    const view = new SessionsView();
    view.apply("s", { status: "ended" }, at);
    view.apply("s", active(60), at);
    expect(view.find("s")).toEqual({ status: "ended" });
  });

  it("counts whole seconds to the end, downwards", () => {
    const view = new SessionsView();
    view.apply("s", active(60), at);
    expect(view.secondsLeft("s", new Date(at.getTime() + 1))).toBe(59);
  });

  it("moves the end of one that runs, and never back", () => {
    const view = new SessionsView();
    view.apply("s", active(60), at);
    for (const seconds of [120, 180, 120]) view.extend("s", new Date(at.getTime() + seconds * 1_000), at);
    expect(view.secondsLeft("s", at)).toBe(180);
  });

  it("is waited for by several at once, and not for ever", async () => {
    const view = new SessionsView();
    const waiting = [view.waitFor("s", 1_000), view.waitFor("s", 1_000)];
    view.apply("s", active(60), at);
    expect(await Promise.all(waiting)).toEqual([active(60), active(60)]);
    expect(await view.waitFor("s", 1)).toEqual(active(60));
    expect(await view.waitFor("another", 5)).toBeUndefined();
  });

  const waiting: SessionState = {
    status: "waiting",
    principalId: "company:a",
    endpoint: "payments",
    waitsUntil: new Date(at.getTime() + 600_000),
  };

  it("gives no time to a session that waits, and lets none wait after it was decided", () => {
    const view = new SessionsView();
    view.apply("s", waiting, at);
    expect(view.secondsLeft("s", at)).toBe(0);
    for (const decided of [active(60), { status: "denied", reason: "no" }, { status: "ended" }] as const) {
      view.apply(decided.status, decided, at);
      view.apply(decided.status, waiting, at);
      expect(view.find(decided.status)).toEqual(decided);
    }
  });

  it("tells of a wait those who want any news, and of a decision those who want that", async () => {
    const view = new SessionsView();
    const [news, decision] = [view.waitFor("s", 1_000), view.waitForDecision("s", 1_000)];
    view.apply("s", waiting, at);
    expect(await news).toEqual(waiting);
    expect(await view.waitForDecision("s", 5)).toBeUndefined();
    view.apply("s", active(60), at);
    expect(await decision).toEqual(active(60));
  });

  it("gives more time to a session that is active, and to no other", () => {
    const view = new SessionsView();
    view.apply("s", active(60), at);
    view.extend("s", new Date(at.getTime() + 90_000), at);
    expect(view.secondsLeft("s", at)).toBe(90);
    view.apply("s", { status: "ended" }, at);
    view.apply("w", waiting, at);
    for (const id of ["s", "w", "unknown"]) {
      view.extend(id, new Date(at.getTime() + 90_000), at);
      expect(view.secondsLeft(id, at)).toBe(0);
    }
  });

  it("is ended for a person whether it runs or waits", () => {
    const view = new SessionsView();
    view.apply("s", active(60), at);
    view.apply("w", waiting, at);
    view.apply("other", { ...waiting, principalId: "company:b" }, at);
    expect(view.openOf("company:a")).toEqual(["s", "w"]);
  });

  it("is forgotten once it is long over", () => {
    const view = new SessionsView();
    view.apply("old", active(1), at);
    const later = new Date(at.getTime() + 60_000);
    for (let index = 0; index < 1_000; index += 1) view.apply(`s${index}`, { status: "ended" }, later);
    expect(view.find("old")).toBeUndefined();
    expect(view.find("s0")).toEqual({ status: "ended" });
  });
});
