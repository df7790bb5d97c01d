import type { Principal, RequestSession } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { endpoint } from "./endpoint.fixture.js";
import { approvalCommandsOf } from "./approval-requests.js";
import { endUnpermitted, expireSession, revokeSession } from "./end-session.js";
import { extendSession } from "./extend-session.js";
import { type FirstGround, requestSession } from "./request-session.js";
import { type Session, type SessionEvent, evolve, unknownSession } from "./session.js";
import { type LastGround, lengthAwaited, settleApproval, type Verdict } from "./settle-approval.js";

const started = "2026-11-23T10:00:00.000Z";
const later = (seconds: number) => new Date(Date.parse(started) + seconds * 1_000);
const after = (events: readonly SessionEvent[], from: Session = unknownSession): Session =>
  events.reduce((state, event) => evolve(state, event, started), from);

const chris: Principal = { id: "company:chris", kind: "human", name: "Chris", groups: ["contractors"] };
const lee: Principal = { id: "company:lee", kind: "human", name: "Lee", groups: ["leads"] };
const approvalId = "019ab000-0000-7000-8000-0000000000aa";
const request: RequestSession = {
  sessionId: "019ab000-0000-7000-8000-000000000001",
  principal: chris,
  authentication: { provider: "company", mfa: true, authTime: later(-60).toISOString() },
  client: { id: "client" },
  endpoint: "payments",
  justification: "INC-4711",
  durationSeconds: 1200,
  canWait: true,
};
const yes = (...policies: string[]) => ({ allowed: true, policies, errors: [] });
const no = (...policies: string[]) => ({ allowed: false, policies, errors: [] });
const first: FirstGround = {
  endpoint,
  decision: yes("open"),
  unattended: no("ask-first"),
  bundleVersion: "v1",
  activeSessions: 0,
  shorter: [],
  waitingSessions: 0,
  approvalId,
};
const last: LastGround = {
  endpoint,
  decision: yes("open"),
  bundleVersion: "v2",
  activeSessions: 0,
  designated: true,
};
const ask = (changes: Partial<RequestSession> = {}, ground: Partial<FirstGround> = {}) =>
  requestSession(unknownSession, { ...request, ...changes }, { ...first, ...ground }, new Date(started));

const asked = ask();
const waiting = after(asked);
const digest = waiting.status === "waiting" ? waiting.wait.requestDigest : "";
const approved: Verdict = { outcome: "granted", by: lee, requestDigest: digest, comment: "for the audit" };
const settle = (
  verdict: Partial<Extract<Verdict, { outcome: "granted" }>> = {},
  ground: Partial<LastGround> = {},
  seconds = 60,
  session = waiting,
) => settleApproval(session, approvalId, { ...approved, ...verdict }, { ...last, ...ground }, later(seconds));
const about = { sessionId: request.sessionId, principalId: chris.id, endpoint: "payments" };

describe("a session that somebody has to approve", () => {
  const denial = (events: SessionEvent[]) => {
    expect(events).toHaveLength(1);
    const [event] = events;
    return event?.type === "SessionDenied" ? event.data : event?.type;
  };

  it("is not opened by the one who asked, by another digest, too late, or by who may not approve any more", () => {
    const refused = [
      [settle({ by: { ...chris, name: "Somebody else", groups: ["leads"] } }), "nobody approves their own"],
      [settle({ requestDigest: "0".repeat(64) }), "something else"],
      [settle({}, {}, 600), "too late"],
      [settle({}, { designated: false }), "no policy lets Lee give it"],
    ] as const;
    for (const [events, words] of refused)
      expect(denial(events)).toMatchObject({
        ...about,
        cause: "void",
        approvalId,
        reason: expect.stringContaining(words),
      });
  });

  it("is not opened where policy permits it no more, the endpoint is gone, or others took the place", () => {
    expect(denial(settle({}, { decision: no("freeze") }))).toMatchObject({
      cause: "void",
      by: { id: lee.id, name: "Lee" },
      reason: "It was approved, but: A policy forbids it: freeze.",
    });
    expect(denial(settle({}, { endpoint: undefined }))).toMatchObject({ cause: "void" });
    const bounded = { ...endpoint, session: { ...endpoint.session, sessionsPerPrincipalMax: 1 } };
    expect(denial(settle({}, { endpoint: bounded, activeSessions: 1 }))).toMatchObject({ cause: "void" });
  });

  it("is not opened by the approval of another one, or twice, or after it was settled", () => {
    expect(settleApproval(waiting, "another", approved, last, later(60))).toEqual([]);
    for (const settled of [
      settle(),
      settle({}, { designated: false }),
      revokeSession(waiting, { by: lee, reason: "x" }),
    ])
      expect(settle({}, {}, 60, after(settled, waiting))).toEqual([]);
    expect(settle({}, {}, 60, unknownSession)).toEqual([]);
  });

  it("is refused at once where nobody waits, or too many wait", () => {
    expect(denial(ask({ canWait: undefined as never }).slice(1))).toMatchObject({
      reason: expect.stringContaining("has to approve"),
    });
    expect(denial(ask({}, { waitingSessions: 5 }).slice(1))).toMatchObject({
      reason: expect.stringContaining("wait for an approval already"),
    });
    expect(ask({}, { waitingSessions: 4 })[1]?.type).toBe("SessionAwaitsApproval");
  });

  it("does not get as far as an approver where policy, login or justification forbid it", () => {
    const strict = { ...endpoint, session: { ...endpoint.session, mfaRequired: true } };
    for (const events of [
      ask({}, { decision: no() }),
      ask({ justification: " " }),
      ask({ authentication: { provider: "company" } }, { endpoint: strict }),
    ])
      expect(events.map(({ type }) => type)).toEqual(["SessionRequested", "SessionDenied"]);
  });

  it("waits, and tells approvers all that they need, bound to exactly this", () => {
    expect(asked[1]).toMatchObject({
      type: "SessionAwaitsApproval",
      data: {
        approvalId,
        durationSeconds: 1200,
        waitsUntil: later(600).toISOString(),
        policies: ["open", "ask-first"],
      },
    });
    const [command] = approvalCommandsOf(asked);
    expect(command).toMatchObject({
      type: "RequestApproval",
      data: {
        kind: "session",
        tool: "session:open",
        requester: chris,
        justification: "INC-4711",
        requestDigest: digest,
        expiresAt: later(600).toISOString(),
      },
    });
    expect(command?.data).not.toHaveProperty("callId");
    const digests = [
      {},
      { sessionId: "019ab000-0000-7000-8000-000000000002" },
      { principal: { ...chris, id: "company:eve" } },
      { client: { id: "other" } },
      { endpoint: "crm" },
      { durationSeconds: 1201 },
      { justification: "INC-4712" },
    ].map(
      (changes) => JSON.stringify(approvalCommandsOf(ask(changes))).match(/"requestDigest":"(\w+)"/)?.[1],
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("waits no longer than a login is remembered", () => {
    const patient = { ...endpoint, approval: { expirySeconds: 86_400 } };
    expect(ask({}, { endpoint: patient })[1]?.data).toMatchObject({ waitsUntil: later(3600).toISOString() });
  });

  it("begins when it is approved, and says by whom", () => {
    expect(settle()).toEqual([
      {
        type: "SessionGranted",
        data: {
          ...request,
          grantedAt: later(60).toISOString(),
          expiresAt: later(60 + 1200).toISOString(),
          idleSeconds: 900,
          policies: ["open"],
          bundleVersion: "v2",
          approvalId,
          approvedBy: { id: lee.id, name: "Lee" },
          comment: "for the audit",
        },
      },
    ]);
  });

  it("begins though the login grew too old while it waited", () => {
    const fresh = { ...endpoint, session: { ...endpoint.session, authenticationAgeSecondsMax: 90 } };
    expect(settle({}, { endpoint: fresh }, 599)[0]?.type).toBe("SessionGranted");
  });

  it("is refused with the approver's words, or when nobody decides", () => {
    const by = { outcome: "denied", by: lee, comment: "wrong ticket" } as const;
    expect(denial(settleApproval(waiting, approvalId, by, last, later(60)))).toMatchObject({
      cause: "denied",
      by: { id: lee.id },
      reason: "Lee refused it: wrong ticket",
    });
    expect(
      denial(settleApproval(waiting, approvalId, { outcome: "expired" }, last, later(600))),
    ).toMatchObject({
      cause: "expired",
    });
    expect(expireSession(waiting, later(599.999), later(0))).toEqual([]);
    expect(denial(expireSession(waiting, later(600), later(0)))).toMatchObject({
      cause: "expired",
      approvalId,
    });
  });

  it("is dropped, and approvers are told, when it is revoked while it waits", () => {
    const events = revokeSession(waiting, { by: { id: "company:root" }, reason: "logged out" });
    expect(denial(events)).toMatchObject({
      cause: "withdrawn",
      reason: "logged out",
      by: { id: "company:root" },
    });
    expect(approvalCommandsOf(events)).toEqual([
      { type: "WithdrawApproval", data: { approvalId, reason: "logged out" } },
    ]);
  });
});

describe("more time for a session", () => {
  const active = after(
    requestSession(unknownSession, request, { ...first, unattended: yes() }, new Date(started)),
  );
  const more = { durationSeconds: 1200, justification: "INC-4711 goes on" };
  const extend = (changes: Partial<typeof more> = {}, session = active, seconds = 60, ground = {}) =>
    extendSession(
      session,
      { ...more, ...changes },
      { endpoint, judge: () => yes("open"), approvalId, ...ground },
      later(seconds),
    );
  const events = (answer: ReturnType<typeof extend>) => ("events" in answer ? answer.events : []);
  const codeOf = (answer: ReturnType<typeof extend>) => ("problem" in answer ? answer.problem.code : "none");
  const pending = after(events(extend()), active);
  const extensionDigest = pending.status === "active" ? (pending.extension?.requestDigest ?? "") : "";
  const decide = (
    verdict: Partial<Extract<Verdict, { outcome: "granted" }>> = {},
    ground: Partial<LastGround> = {},
    seconds = 120,
    session = pending,
  ) => settle({ requestDigest: extensionDigest, ...verdict }, ground, seconds, session);

  it("is not to be had for a session that waits, was denied, or is over", () => {
    const over = after(expireSession(active, later(1200), later(0)), active);
    for (const session of [
      waiting,
      over,
      unknownSession,
      after(revokeSession(active, { by: lee, reason: "x" }), active),
    ])
      expect(codeOf(extend({}, session))).toBe("session_ended");
    expect(codeOf(extend({}, active, 1200))).toBe("session_ended");
  });

  it("is not to be had beyond the endpoint's maximum, twice at once, or against the policies", () => {
    expect(codeOf(extend({ durationSeconds: 2401 }))).toBe("extension_too_long");
    expect(codeOf(extend({ durationSeconds: 2400 }))).toBe("none");
    expect(codeOf(extend({}, pending))).toBe("extension_pending");
    expect(codeOf(extend({}, active, 60, { judge: () => no() }))).toBe("forbidden_by_policy");
    expect(codeOf(extend({}, active, 60, { endpoint: undefined }))).toBe("forbidden_by_policy");
    const pattern = { ...endpoint, session: { ...endpoint.session, justificationPattern: "CHG-" } };
    expect(codeOf(extend({}, active, 60, { endpoint: pattern }))).toBe("justification_refused");
  });

  it("is not to be had for longer in all than the policies permit, and says so", () => {
    const judge = (seconds: number) => (seconds <= 1_800 ? yes("open") : no("long"));
    expect(codeOf(extend({ durationSeconds: 600 }, active, 60, { judge }))).toBe("none");
    expect(extend({ durationSeconds: 601 }, active, 60, { judge })).toEqual({
      problem: {
        code: "forbidden_by_policy",
        message: "A policy forbids a session of 31 minutes in all: long.",
      },
    });
    expect(extend({}, active, 60, { judge: (seconds: number) => (seconds > 1_200 ? no() : yes()) })).toEqual({
      problem: {
        code: "forbidden_by_policy",
        message: "No policy permits a session of 40 minutes in all; ask an administrator whether one should.",
      },
    });
    expect(decide({}, { decision: no("long") })).toMatchObject([
      {
        type: "SessionExtensionRefused",
        data: { cause: "void", reason: expect.stringContaining("or not for 40 minutes in all") },
      },
    ]);
  });

  it("is judged by the length that the session would have in all", () => {
    expect(lengthAwaited(waiting, endpoint)).toBe(1_200);
    const brief = { ...endpoint, session: { ...endpoint.session, durationSecondsMax: 600 } };
    expect(lengthAwaited(waiting, brief)).toBe(600);
    expect(lengthAwaited(pending, endpoint)).toBe(2_400);
    for (const session of [active, unknownSession]) expect(lengthAwaited(session, endpoint)).toBeUndefined();
  });

  it("is not given by the owner, another digest, too late, without permission, or against the policies", () => {
    const shorter = { ...endpoint, session: { ...endpoint.session, durationSecondsMax: 2399 } };
    for (const refused of [
      decide({ by: chris }),
      decide({ requestDigest: digest }),
      decide({}, {}, 660),
      decide({}, { designated: false }),
      decide({}, { decision: no() }),
      decide({}, { endpoint: shorter }),
    ]) {
      expect(refused).toMatchObject([{ type: "SessionExtensionRefused", data: { ...about, cause: "void" } }]);
      const state = after(refused, pending);
      expect(state).toMatchObject({ status: "active", expiresAt: later(1200).toISOString() });
    }
  });

  it("is not given to a session that ended meanwhile, whose approvers are told", () => {
    for (const ends of [
      revokeSession(pending, { by: lee, reason: "x" }),
      expireSession(pending, later(1200), later(0)),
      endUnpermitted(pending, no()),
    ]) {
      expect(ends.map(({ type }) => type)).toEqual(["SessionExtensionRefused", expect.any(String)]);
      expect(approvalCommandsOf(ends)).toMatchObject([{ type: "WithdrawApproval", data: { approvalId } }]);
      expect(decide({}, {}, 120, after(ends, pending))).toEqual([]);
    }
  });

  it("always needs another person, who sees what the session was opened for and how long it would last", () => {
    const [command] = approvalCommandsOf(events(extend()));
    expect(command).toMatchObject({ data: { kind: "extension", tool: "session:extend", requester: chris } });
    const shown = command?.type === "RequestApproval" ? command.data.arguments : "";
    expect(JSON.parse(shown)).toEqual({
      duration_seconds: 1200,
      open_since: started,
      opened_for: "INC-4711",
      ends_without_it: later(1200).toISOString(),
      ends_with_it: later(2400).toISOString(),
    });
  });

  it("moves the end once it is approved, and can be asked for again", () => {
    const extended = after(decide(), pending);
    expect(extended).toMatchObject({ status: "active", expiresAt: later(2400).toISOString() });
    expect(decide()).toMatchObject([
      { data: { approvedBy: { id: lee.id, name: "Lee" }, justification: "INC-4711 goes on" } },
    ]);
    expect(codeOf(extend({ durationSeconds: 1201 }, extended))).toBe("extension_too_long");
    expect(codeOf(extend({}, extended))).toBe("none");
    expect(expireSession(extended, later(800), later(0))).toEqual([]);
  });

  it("is asked for no more after three requests that nobody approved, which is recorded once", () => {
    const refusedOnce = (session: Session) => {
      const asked = after(events(extend({}, session)), session);
      return after(
        settleApproval(asked, approvalId, { outcome: "denied", by: lee }, last, later(120)),
        asked,
      );
    };
    const twice = refusedOnce(refusedOnce(active));
    expect(codeOf(extend({}, twice))).toBe("none");
    const thrice = refusedOnce(twice);
    const answer = extend({}, thrice);
    expect(events(answer)).toMatchObject([
      {
        type: "SessionExtensionRefused",
        data: { ...about, cause: "exhausted", durationSeconds: 1200, justification: "INC-4711 goes on" },
      },
    ]);
    expect(approvalCommandsOf(events(answer))).toEqual([]);
    const told = after(events(answer), thrice);
    expect(told).toMatchObject({ status: "active", expiresAt: later(1200).toISOString() });
    expect(extend({}, told)).toEqual({
      problem: {
        code: "extension_exhausted",
        message: expect.stringContaining("open a new session") as string,
      },
    });
    expect(codeOf(extend({}, after(decide(), pending)))).toBe("none");
  });

  it("leaves the session as it is when it is refused, or nobody decides", () => {
    for (const verdict of [{ outcome: "denied", by: lee }, { outcome: "expired" }] as const) {
      const state = after(settleApproval(pending, approvalId, verdict, last, later(120)), pending);
      expect(state).toMatchObject({ status: "active", expiresAt: later(1200).toISOString() });
      expect(codeOf(extend({}, state))).toBe("none");
    }
  });
});
