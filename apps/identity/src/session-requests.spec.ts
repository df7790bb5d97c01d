import type { RequestSession } from "@countersign/contracts";
import { Clock, type Entry, type EventLog } from "@countersign/service-kit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decisionMsMax, SessionRequests } from "./session-requests.js";
import { type SessionState, SessionsView } from "./views/sessions.view.js";

const request: RequestSession = {
  sessionId: "0199a7c0-0000-7000-8000-000000000001",
  principal: { id: "company:a", kind: "human", groups: [] },
  authentication: { provider: "company" },
  client: { id: "c" },
  endpoint: "payments",
  justification: "x",
};
const now = new Date("2026-11-22T10:00:00.000Z");
const granted: SessionState = {
  status: "active",
  principalId: "company:a",
  endpoint: "payments",
  expiresAt: new Date(now.getTime() + 60_000),
};

beforeEach(() => void vi.useFakeTimers({ now }));
afterEach(() => void vi.useRealTimers());

function wired() {
  const sent: Entry[] = [];
  const view = new SessionsView();
  const eventLog = {
    append: (...entries: Entry[]) => {
      sent.push(...entries);
      return Promise.resolve([]);
    },
  } as unknown as EventLog;
  return { sent, view, requests: new SessionRequests(eventLog, view, new Clock()) };
}

describe("a request to the session broker", () => {
  it("waits no longer than its bound", async () => {
    const { requests } = wired();
    const answer = requests.ask(request);
    await vi.advanceTimersByTimeAsync(decisionMsMax);
    expect(await answer).toBeUndefined();
  });

  it("is sent once for a form that is sent twice, and both hear the answer", async () => {
    const { requests, view, sent } = wired();
    const answers = [requests.ask(request), requests.ask(request)];
    await vi.advanceTimersByTimeAsync(1);
    view.apply(request.sessionId, granted, now);
    expect(await Promise.all(answers)).toEqual([granted, granted]);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({
      topic: "session.commands",
      event: { type: "RequestSession", subject: request.sessionId, source: "identity", data: request },
    });
  });

  it("is not sent again once it was decided, though nobody was waiting then", async () => {
    const { requests, view, sent } = wired();
    view.apply(request.sessionId, granted, now);
    expect(await requests.ask(request)).toEqual(granted);
    expect(sent).toHaveLength(0);
  });

  it("fails when it cannot be written, and may be made again", async () => {
    const { requests, view } = wired();
    const failing = new SessionRequests(
      { append: () => Promise.reject(new Error("down")) } as unknown as EventLog,
      view,
      new Clock(),
    );
    await expect(failing.ask(request)).rejects.toThrow("down");
    await expect(failing.ask(request)).rejects.toThrow("down");
    view.apply(request.sessionId, granted, now);
    expect(await requests.ask(request)).toEqual(granted);
  });
});
