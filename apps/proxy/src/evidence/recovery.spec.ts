import type { EventMessage } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { OpenCalls } from "./recovery.js";

const event = (type: string, callId: string, more: object = {}, recorderId = "proxy-1"): EventMessage => ({
  id: "0199aa00-0000-7000-8000-000000000001",
  type,
  source: "proxy",
  subject: "session",
  time: "2026-11-22T12:00:00.000Z",
  data: {
    recorder: { id: recorderId },
    callId,
    sessionId: "session",
    decision: { effect: "allow" },
    ...more,
  },
});
const hold = { decision: { effect: "hold" } };
const endingsOf = (...events: EventMessage[]) => {
  const open = new OpenCalls("proxy-1");
  for (const one of events) open.apply(one);
  return open
    .endings()
    .map(({ draft, approvalId }) => [
      (draft.data as { callId: string; outcome: string }).callId,
      (draft.data as { outcome: string }).outcome,
      approvalId,
    ]);
};

describe("calls that a process left open", () => {
  it("are those with an intent and no end", () => {
    const ended = [event("CallIntended", "a"), event("CallCompleted", "a")];
    const refused = [event("CallIntended", "b"), event("CallRefused", "b")];
    expect(endingsOf(...ended, ...refused, event("CallIntended", "c"))).toEqual([
      ["c", "unknown", undefined],
    ]);
  });

  it("are another recorder's business where another recorded them", () => {
    expect(endingsOf(event("CallIntended", "a", {}, "proxy-2"))).toEqual([]);
  });

  it("were certainly not made while they were held, and their approval is left to whoever asks again", () => {
    const held = event("CallHeld", "a", { approvalId: "approval" });
    expect(endingsOf(event("CallIntended", "a", hold), held)).toEqual([["a", "not_forwarded", "approval"]]);
  });

  it("may have been made once they were released", () => {
    const held = event("CallHeld", "a", { approvalId: "approval" });
    const released = event("CallReleased", "a", { approvalId: "approval" });
    expect(endingsOf(event("CallIntended", "a", hold), held, released)).toEqual([
      ["a", "unknown", undefined],
    ]);
  });
});
