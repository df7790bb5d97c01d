import type { Endpoint, RequestSession } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { endpoint } from "./endpoint.fixture.js";
import { endUnpermitted, expireSession, revokeSession } from "./end-session.js";
import { type FirstGround, requestSession } from "./request-session.js";
import { type Session, type SessionEvent, evolve, unknownSession } from "./session.js";

const started = "2026-11-23T10:00:00.000Z";
const later = (seconds: number) => new Date(Date.parse(started) + seconds * 1_000);

const given = (...events: SessionEvent[]) => ({
  when: (decide: (session: Session) => SessionEvent[]) =>
    decide(events.reduce((state, event) => evolve(state, event, started), unknownSession)),
});

const request: RequestSession = {
  sessionId: "019ab000-0000-7000-8000-000000000001",
  principal: { id: "company:ada", kind: "human", groups: ["payments-engineers"] },
  authentication: { provider: "company" },
  client: { id: "client" },
  endpoint: "payments",
  justification: "INC-4711: customer was charged twice",
};
const permitted: FirstGround = {
  endpoint,
  decision: { allowed: true, policies: ["open"], errors: [] },
  unattended: { allowed: true, policies: ["open"], errors: [] },
  bundleVersion: "v1",
  activeSessions: 0,
  shorter: [],
  waitingSessions: 0,
  approvalId: "019ab000-0000-7000-8000-0000000000aa",
};
const refused = (policies: string[], errors: string[] = []): FirstGround => ({
  ...permitted,
  decision: { allowed: false, policies, errors },
});
const about = { sessionId: request.sessionId, principalId: "company:ada", endpoint: "payments" };

const requested: SessionEvent = { type: "SessionRequested", data: request };
const granted: SessionEvent = {
  type: "SessionGranted",
  data: {
    ...request,
    grantedAt: started,
    expiresAt: later(1800).toISOString(),
    idleSeconds: 900,
    policies: ["open"],
    bundleVersion: "v1",
  },
};
const denied = (reason: string, policies: string[] = []): SessionEvent => ({
  type: "SessionDenied",
  data: { ...about, reason, policies, bundleVersion: "v1" },
});
const by = { id: "company:eve" };
const revoked: SessionEvent = { type: "SessionRevoked", data: { ...about, by, reason: "left the company" } };
const expired = (cause: "duration" | "idle" | "policy"): SessionEvent => ({
  type: "SessionExpired",
  data: { ...about, cause },
});

const ask =
  (ground: FirstGround, changes: Partial<RequestSession> = {}) =>
  (session: Session) =>
    requestSession(session, { ...request, ...changes }, ground, new Date(started));
const revoke = (session: Session) => revokeSession(session, { by, reason: "left the company" });

describe("requesting a session", () => {
  it("is denied where no policy permits it", () => {
    expect(given().when(ask(refused([])))).toEqual([
      requested,
      denied("No policy permits it; ask an administrator whether one should."),
    ]);
  });

  it("is denied where a policy forbids it, and names the policy", () => {
    expect(given().when(ask(refused(["freeze"])))).toEqual([
      requested,
      denied("A policy forbids it: freeze.", ["freeze"]),
    ]);
  });

  it("is denied where the policies fail, even if they said yes", () => {
    const ground = { ...permitted, decision: { allowed: true, policies: ["open"], errors: ["x"] } };
    expect(given().when(ask(ground))).toEqual([
      requested,
      denied("The policies could not be evaluated, so nothing is allowed; tell an administrator.", ["open"]),
    ]);
  });

  it("is denied for an endpoint that does not exist, whatever the policies say", () => {
    expect(given().when(ask({ ...permitted, endpoint: undefined }))).toEqual([
      requested,
      denied('There is no endpoint called "payments"; check the address.', ["open"]),
    ]);
  });

  it("is denied without the justification that the endpoint wants", () => {
    const ground = {
      ...permitted,
      endpoint: { ...endpoint, session: { ...endpoint.session, justificationPattern: "INC-\\d+" } },
    };
    expect(given().when(ask(ground, { justification: "because" }))).toEqual([
      { ...requested, data: { ...request, justification: "because" } },
      denied("The justification has to contain INC-\\d+; name the ticket or the incident.", ["open"]),
    ]);
    expect(given().when(ask(ground))).toEqual([requested, granted]);
    const session = { ...ground.endpoint.session, justificationHint: "Name the incident." };
    const worded = { ...ground, endpoint: { ...ground.endpoint, session } };
    expect(
      given()
        .when(ask(worded, { justification: "because" }))
        .at(-1),
    ).toEqual(denied("The justification is not what is asked for. Name the incident.", ["open"]));
  });

  it("is granted for the endpoint's usual time where none is asked for", () => {
    expect(given().when(ask(permitted))).toEqual([requested, granted]);
  });

  it.each([
    [60, 60],
    [3600, 3600],
    [86_400, 3600],
  ])("of %j seconds is granted for %j", (durationSeconds, seconds) => {
    const events = ask(permitted, { durationSeconds })(unknownSession);
    expect(events[1]?.data).toMatchObject({ expiresAt: later(seconds).toISOString() });
  });

  const allowed = { allowed: true, policies: ["open"], errors: [] };
  const forbidden = { allowed: false, policies: ["long"], errors: [] };
  const couldBeShorter = "A shorter session may be possible; ask for less time.";

  it("is denied with a hint at a shorter one, where the policies permit that, and only there", () => {
    const long = { ...permitted, decision: forbidden, unattended: forbidden };
    const shorter = { decision: allowed, unattended: allowed };
    const denial = "A policy forbids it: long.";
    expect(reasonOf({ ...long, shorter: [long, shorter] })).toBe(`${denial} ${couldBeShorter}`);
    for (const none of [[], [long], [{ decision: forbidden, unattended: allowed }]])
      expect(reasonOf({ ...long, shorter: none })).toBe(denial);
    const failing = { decision: { ...allowed, errors: ["x"] }, unattended: allowed };
    expect(reasonOf({ ...long, shorter: [failing] })).toBe(denial);
  });

  it("gives no such hint where a shorter one would be denied for another reason, or length is not the reason", () => {
    const long = { ...permitted, decision: forbidden, unattended: forbidden };
    const shorter = [{ decision: allowed, unattended: allowed }];
    const strict = withSession({ mfaRequired: true });
    expect(reasonOf({ ...strict, decision: forbidden, shorter })).toBe("A policy forbids it: long.");
    expect(reasonOf({ ...strict, shorter })).not.toContain("shorter");
    expect(reasonOf({ ...long, shorter }, { justification: " " })).not.toContain("shorter");
  });

  it("tells who cannot wait that a shorter one needs nobody else, and whoever can, that it may wait", () => {
    const alone = { decision: allowed, unattended: allowed };
    const waits = { decision: allowed, unattended: forbidden };
    const held = { ...permitted, unattended: forbidden };
    expect(reasonOf({ ...held, shorter: [alone] })).toContain(couldBeShorter);
    expect(reasonOf({ ...held, shorter: [waits] })).not.toContain("shorter");
    const long = { ...permitted, decision: forbidden, unattended: forbidden };
    expect(reasonOf({ ...long, shorter: [waits] })).not.toContain("shorter");
    expect(reasonOf({ ...long, shorter: [waits] }, { canWait: true })).toContain(couldBeShorter);
  });

  const withSession = (session: Partial<Endpoint["session"]>): FirstGround => ({
    ...permitted,
    endpoint: { ...endpoint, session: { ...endpoint.session, ...session } },
  });
  const reasonOf = (ground: FirstGround, changes: Partial<RequestSession> = {}) => {
    const [, answer] = ask(ground, changes)(unknownSession);
    return answer?.type === "SessionDenied" ? answer.data.reason : answer?.type;
  };

  it("is denied beyond the number of sessions that one principal may have", () => {
    const bounded = withSession({ sessionsPerPrincipalMax: 2 });
    expect(reasonOf({ ...bounded, activeSessions: 2 })).toContain("end one of them first");
    expect(reasonOf({ ...bounded, activeSessions: 1 })).toBe("SessionGranted");
  });

  const machine = { id: "ci:build", kind: "workload" as const, groups: [] };
  const loggedIn = (more: object) => ({ authentication: { provider: "company", ...more } });
  it("is denied to a person without a second factor where one is asked for, and not to a machine", () => {
    const strict = withSession({ mfaRequired: true });
    expect(reasonOf(strict)).toContain("more than one factor");
    expect(reasonOf(strict, loggedIn({ amr: ["pwd"] }))).toContain("more than one factor");
    expect(reasonOf(strict, loggedIn({ amr: ["mfa"], mfa: true }))).toBe("SessionGranted");
    expect(reasonOf(strict, { principal: machine })).toBe("SessionGranted");
  });

  it("is denied to a person whose login is too old or of unknown age, to the second", () => {
    const fresh = withSession({ authenticationAgeSecondsMax: 300 });
    expect(reasonOf(fresh)).toContain("did not say when");
    expect(reasonOf(fresh, loggedIn({ authTime: later(-301).toISOString() }))).toContain("log in again");
    expect(reasonOf(fresh, loggedIn({ authTime: later(-300).toISOString() }))).toBe("SessionGranted");
    expect(reasonOf(fresh, { principal: machine })).toBe("SessionGranted");
  });

  it("a second time changes nothing, whatever became of the first", () => {
    for (const history of [[requested], [requested, granted], [requested, denied("x")]])
      expect(given(...history).when(ask(permitted))).toEqual([]);
    expect(given(requested, granted, revoked).when(ask(permitted))).toEqual([]);
  });
});

describe("revoking a session", () => {
  it("ends an active one", () => {
    expect(given(requested, granted).when(revoke)).toEqual([revoked]);
  });

  it("changes nothing where there is none, or none any more", () => {
    for (const history of [[], [requested, denied("x")], [requested, granted, revoked]])
      expect(given(...history).when(revoke)).toEqual([]);
    expect(given(requested, granted, expired("idle")).when(revoke)).toEqual([]);
  });
});

describe("the end of a session", () => {
  const expire =
    (seconds: number, seenUntil = seconds) =>
    (session: Session) =>
      expireSession(session, later(seconds), later(seenUntil));

  it("comes when its time is over, even if its calls were not read yet", () => {
    expect(given(requested, granted).when(expire(1800, 0))).toEqual([expired("duration")]);
  });

  it("comes with the policies that permitted it, but not because one of them fails", () => {
    const after = (decision: FirstGround["decision"]) =>
      given(requested, granted).when((session) => endUnpermitted(session, decision));
    expect(after({ allowed: false, policies: [], errors: [] })).toEqual([expired("policy")]);
    expect(after({ allowed: false, policies: [], errors: ["x"] })).toEqual([]);
    expect(after(permitted.decision)).toEqual([]);
    expect(given(requested, granted, revoked).when((s) => endUnpermitted(s, refused([]).decision))).toEqual(
      [],
    );
  });

  it("comes after 15 idle minutes: not at 14:59, and at 15:00", () => {
    expect(given(requested, granted).when(expire(14 * 60 + 59))).toEqual([]);
    expect(given(requested, granted).when(expire(15 * 60))).toEqual([expired("idle")]);
  });

  it("comes after the idle limit, and not a millisecond before", () => {
    expect(given(requested, granted).when(expire(899.999))).toEqual([]);
    expect(given(requested, granted).when(expire(900))).toEqual([expired("idle")]);
  });

  it("is not idle while calls may have happened that were not read yet", () => {
    expect(given(requested, granted).when(expire(1000, 899))).toEqual([]);
  });

  it("counts idleness from the last call", () => {
    const lastUsed = (seconds: number, decide: (session: Session) => SessionEvent[]) => (session: Session) =>
      decide(
        session.status === "active" ? { ...session, lastActivityAt: later(seconds).toISOString() } : session,
      );
    expect(given(requested, granted).when(lastUsed(500, expire(1399)))).toEqual([]);
    expect(given(requested, granted).when(lastUsed(500, expire(1400)))).toEqual([expired("idle")]);
  });

  it("comes once", () => {
    expect(given(requested, granted, expired("idle")).when(expire(9999))).toEqual([]);
    expect(given(requested, granted, revoked).when(expire(9999))).toEqual([]);
    expect(given(requested, denied("x")).when(expire(9999))).toEqual([]);
  });
});
