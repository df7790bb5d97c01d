import type { ApprovalAttemptRefused, Principal, RequestApproval } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { type Approval, type ApprovalEvent, evolve, unknownApproval } from "./approval.js";
import { type Attempt, decideApproval } from "./decide.js";
import { expireApproval, requestApproval, withdrawApproval } from "./hold.js";

const started = "2026-11-23T10:00:00.000Z";
const later = (seconds: number) => new Date(Date.parse(started) + seconds * 1_000);

const given = (...events: ApprovalEvent[]) => ({
  when: (decide: (approval: Approval) => ApprovalEvent[]) =>
    decide(events.reduce((state, event) => evolve(state, event, started), unknownApproval)),
});

const ada: Principal = { id: "company:ada", kind: "human", groups: ["payments-engineers"] };
const grace: Principal = { id: "company:grace", kind: "human", groups: ["payments-leads"] };
const request: RequestApproval = {
  approvalId: "019ab000-0000-7000-8000-000000000001",
  callId: "019ab000-0000-7000-8000-000000000002",
  sessionId: "019ab000-0000-7000-8000-000000000003",
  requester: ada,
  client: { id: "client" },
  endpoint: "payments",
  tool: "refund",
  arguments: '{"amount_cents":50000}',
  requestDigest: "digest",
  justification: "INC-4711",
  expiresAt: later(600).toISOString(),
};
const about = {
  approvalId: request.approvalId,
  callId: request.callId,
  sessionId: request.sessionId,
  endpoint: "payments",
  tool: "refund",
  requestDigest: "digest",
  requesterId: ada.id,
};

const requested: ApprovalEvent = { type: "ApprovalRequested", data: request };
const granted: ApprovalEvent = { type: "ApprovalGranted", data: { ...about, by: grace, comment: "fine" } };
const denied: ApprovalEvent = { type: "ApprovalDenied", data: { ...about, by: grace } };
const expired: ApprovalEvent = { type: "ApprovalExpired", data: about };
const withdrawn: ApprovalEvent = { type: "ApprovalWithdrawn", data: { ...about, reason: "cancelled" } };
const refused = (
  reason: ApprovalAttemptRefused["reason"],
  by = grace,
  attempted: Attempt["decision"] = "approve",
): ApprovalEvent => ({ type: "ApprovalAttemptRefused", data: { ...about, by, attempted, reason } });

const decide =
  (attempt: Partial<Attempt> = {}, designated = true, seconds = 1) =>
  (approval: Approval) =>
    approval.status === "unknown"
      ? []
      : decideApproval(approval, { by: grace, decision: "approve", ...attempt }, designated, later(seconds));

describe("deciding a held call", () => {
  it("is refused to the one who asked for it, even if the policies would let them", () => {
    for (const decision of ["approve", "deny"] as const)
      expect(given(requested).when(decide({ by: ada, decision }))).toEqual([
        refused("own_call", ada, decision),
      ]);
  });

  it("is refused to the requester under other groups and another name too", () => {
    const disguised = { ...ada, name: "Somebody else", groups: ["payments-leads"] };
    expect(given(requested).when(decide({ by: disguised }))).toEqual([refused("own_call", disguised)]);
  });

  it("is refused to those whom no policy designates", () => {
    expect(given(requested).when(decide({}, false))).toEqual([refused("not_designated")]);
  });

  it("is refused once it is settled, however it was", () => {
    for (const settled of [granted, denied, expired, withdrawn])
      expect(given(requested, settled).when(decide())).toEqual([refused("not_pending")]);
  });

  it("is refused past its time, even before anybody noticed", () => {
    expect(given(requested).when(decide({}, true, 599.999))).toMatchObject([{ type: "ApprovalGranted" }]);
    expect(given(requested).when(decide({}, true, 600))).toEqual([expired, refused("not_pending")]);
  });

  it("is one event about exactly this call", () => {
    expect(given(requested).when(decide({ comment: "fine" }))).toEqual([granted]);
    expect(given(requested).when(decide({ decision: "deny" }))).toEqual([denied]);
  });
});

describe("a held call", () => {
  it("is put before the approvers once", () => {
    const ask = (approval: Approval) => requestApproval(approval, request);
    expect(given().when(ask)).toEqual([requested]);
    for (const history of [[requested], [requested, denied], [requested, expired]])
      expect(given(...history).when(ask)).toEqual([]);
  });

  it("is withdrawn only while nobody decided", () => {
    const withdraw = (approval: Approval) => withdrawApproval(approval, "cancelled");
    expect(given(requested).when(withdraw)).toEqual([withdrawn]);
    for (const history of [[], [requested, granted], [requested, withdrawn]])
      expect(given(...history).when(withdraw)).toEqual([]);
  });

  it("expires at its time and not before, once, and only while nobody decided", () => {
    const expire = (seconds: number) => (approval: Approval) => expireApproval(approval, later(seconds));
    expect(given(requested).when(expire(599.999))).toEqual([]);
    expect(given(requested).when(expire(600))).toEqual([expired]);
    for (const settled of [granted, denied, expired, withdrawn])
      expect(given(requested, settled).when(expire(9_999))).toEqual([]);
  });

  it("is not changed by an attempt that was refused", () => {
    expect(given(requested, refused("not_designated")).when(decide({ comment: "fine" }))).toEqual([granted]);
  });
});
