import { createHash } from "node:crypto";
import type { OcsfEvent, RecordView } from "@countersign/contracts";
import { describe, expect, it } from "vitest";
import { ocsfOf } from "./ocsf.js";

const id = "0199aaaa-0000-7000-8000-000000000001";
const sessionId = "0199aaaa-0000-7000-8000-000000000002";
const recorder = { id: "proxy-1", epoch: id, seq: 0, prevHash: "0".repeat(64) };
const ada = { id: "company:ada", kind: "human", name: "Ada", email: "ada@example.com" };
const aboutSession = { sessionId, principalId: ada.id, endpoint: "payments" };
const authentication = { provider: "company", amr: ["pwd", "mfa"] };
const text = '{"card":"411111******1111"}';
const payload = {
  text,
  sha256: createHash("sha256").update(text).digest("hex"),
  bytes: 30,
  contentType: "application/json",
  findings: [
    {
      kind: "pan",
      brand: "visa",
      path: "/card",
      start: 0,
      end: 16,
      rule: "pan",
      first6: "411111",
      last4: "1111",
    },
  ],
};
const call = {
  recorder,
  callId: id,
  sessionId,
  principal: ada,
  client: { id: "c1", name: "Claude Code" },
  endpoint: "payments",
  clientAddress: "10.0.0.7",
  era: "modern",
  method: "tools/call",
  target: "get_transaction",
};
const approval = {
  approvalId: id,
  callId: id,
  sessionId,
  endpoint: "payments",
  tool: "refund",
  requestDigest: "d",
  requesterId: ada.id,
};
const by = { ...ada, id: "company:bob", groups: ["payments-leads"] };
const session = {
  sessionId,
  principal: { ...ada, groups: ["payments-engineers"] },
  authentication,
  client: { id: "c1" },
  endpoint: "payments",
  justification: "refund for ticket 7",
};

const record = (topic: string, type: string, data: unknown, source = "proxy"): RecordView => ({
  logIndex: 41,
  leafHash: "a".repeat(64),
  topic,
  partition: 0,
  offset: "7",
  id,
  type,
  source,
  subject: sessionId,
  time: "2026-03-01T10:00:00.000Z",
  data,
});

const everyKind: [string, RecordView, Partial<OcsfEvent>][] = [
  [
    "card data that the first look missed",
    record(
      "masking.events",
      "CardDataMissed",
      {
        recordId: id,
        callId: id,
        sessionId,
        endpoint: "payments",
        part: "response",
        policyVersion: "v",
        view: {
          ...payload,
          findings: [{ kind: "pan", path: "/card", start: 0, end: 16, rule: "second.hex" }],
        },
      },
      "masking",
    ),
    { class_uid: 2006, severity_id: 4, status_detail: "pan (second.hex)" },
  ],
  [
    "the end of a session's originals",
    record(
      "masking.events",
      "SessionKeyDestroyed",
      { sessionId, keyIds: [id], originals: 2, cause: "request", by, justification: "ticket 7" },
      "masking",
    ),
    { class_uid: 6003, activity_id: 4, status_id: 1, severity_id: 3 },
  ],
  [
    "a shredding that was refused",
    record("masking.events", "ShredRefused", { sessionId, by, reason: "forbidden_by_policy" }, "masking"),
    { class_uid: 6003, activity_id: 4, status_id: 2, status_detail: "forbidden_by_policy", severity_id: 3 },
  ],
  [
    "session keys under a new vault key",
    record(
      "masking.events",
      "SessionKeysRewrapped",
      { vaultKeyId: "v2", formerVaultKeyIds: ["v1"], sessionKeys: 3 },
      "masking",
    ),
    { class_uid: 6002, activity_id: 8, status_id: 1 },
  ],
  [
    "a call that ended well",
    record("mcp.traffic", "CallCompleted", { ...call, outcome: "result", response: payload, latencyMs: 12 }),
    { class_uid: 6003, activity_id: 99, status_id: 1, severity_id: 1 },
  ],
  [
    "a call that a tool failed",
    record("mcp.traffic", "CallCompleted", { ...call, outcome: "tool_error" }),
    { class_uid: 6003, status_id: 2, status_detail: "tool_error" },
  ],
  [
    "a reading call",
    record("mcp.traffic", "CallIntended", { ...call, method: "resources/read", request: payload }),
    { class_uid: 6003, activity_id: 2 },
  ],
  [
    "a refused request of nobody",
    record("mcp.traffic", "CallRefused", { recorder, callId: id, reason: "token_missing" }),
    { class_uid: 6003, status_id: 2, severity_id: 3 },
  ],
  [
    "a held call",
    record("mcp.traffic", "CallHeld", { ...call, approvalId: id }),
    { class_uid: 6003, severity_id: 2 },
  ],
  [
    "a recorder that starts",
    record("mcp.traffic", "RecorderStarted", { recorder, reason: "start" }),
    { class_uid: 6002, activity_id: 3 },
  ],
  [
    "a recorder that stops",
    record("mcp.traffic", "RecorderStopped", { recorder }),
    { class_uid: 6002, activity_id: 4 },
  ],
  [
    "a policy bundle",
    record("policy.bundles", "PolicyBundlePublished", {
      version: "v",
      publishedAt: "2026-03-01T10:00:00.000Z",
      endpoints: [],
      policies: [{ file: "a", text: "x".repeat(5_000) }],
      schema: "",
    }),
    { class_uid: 6002, activity_id: 8 },
  ],
  [
    "a login",
    record(
      "identity.events",
      "PrincipalAuthenticated",
      { principal: session.principal, authentication, clientAddress: "10.0.0.7" },
      "identity",
    ),
    { class_uid: 3002, activity_id: 1, status_id: 1, is_mfa: true },
  ],
  [
    "a failed login",
    record("identity.events", "AuthenticationFailed", { reason: "bad_password" }, "identity"),
    { class_uid: 3002, status_id: 2, severity_id: 3 },
  ],
  [
    "a token",
    record(
      "identity.events",
      "AccessTokenIssued",
      {
        tokenId: "t",
        principalId: ada.id,
        client: { id: "c1" },
        audience: "a",
        expiresAt: "2026-03-01T10:00:00.000Z",
      },
      "identity",
    ),
    { class_uid: 3002, activity_id: 3 },
  ],
  [
    "a granted session",
    record("session.events", "SessionGranted", {
      ...session,
      grantedAt: "2026-03-01T10:00:00.000Z",
      expiresAt: "2026-03-01T11:00:00.000Z",
      idleSeconds: 900,
      policies: [],
      bundleVersion: "v",
    }),
    { class_uid: 3003, activity_id: 1, privileges: ["payments"] },
  ],
  [
    "a denied session",
    record("session.events", "SessionDenied", {
      ...aboutSession,
      reason: "policy",
      policies: [],
      bundleVersion: "v",
    }),
    { class_uid: 3003, activity_id: 99, activity_name: "Deny", status_id: 2 },
  ],
  [
    "a session that waits for an approval",
    record("session.events", "SessionAwaitsApproval", {
      ...session,
      approvalId: id,
      requestDigest: "a".repeat(64),
      waitsUntil: "2026-03-01T10:10:00.000Z",
      durationSeconds: 900,
      policies: [],
      bundleVersion: "v",
    }),
    { class_uid: 3003, activity_name: "Await approval", status_detail: "refund for ticket 7" },
  ],
  [
    "more time for a session",
    record("session.events", "SessionExtended", {
      ...aboutSession,
      approvalId: id,
      durationSeconds: 900,
      justification: "j",
      expiresAt: "2026-03-01T11:00:00.000Z",
      approvedBy: { id: by.id, name: "Bob" },
      policies: [],
      bundleVersion: "v",
    }),
    {
      class_uid: 3003,
      activity_name: "Extend",
      status_detail: "until 2026-03-01T11:00:00.000Z, approved by Bob",
    },
  ],
  [
    "more time that was refused",
    record("session.events", "SessionExtensionRefused", {
      ...aboutSession,
      approvalId: id,
      durationSeconds: 900,
      justification: "j",
      cause: "denied",
      reason: "Bob refused it.",
    }),
    { class_uid: 3003, activity_name: "Deny extension", status_id: 2 },
  ],
  [
    "an approved session",
    record("approval.events", "ApprovalGranted", { ...approval, kind: "session", by }, "approval"),
    { class_uid: 6003, resources: [{ name: "payments", type: "session" }] },
  ],
  [
    "a revoked session",
    record("session.events", "SessionRevoked", { ...aboutSession, by, reason: "leaver" }),
    { class_uid: 3003, activity_name: "Revoke", status_detail: "leaver" },
  ],
  [
    "an approval",
    record("approval.events", "ApprovalGranted", { ...approval, by, comment: "fine" }, "approval"),
    { class_uid: 6003, activity_id: 3, status_id: 1 },
  ],
  [
    "an attempt to approve one's own call",
    record(
      "approval.events",
      "ApprovalAttemptRefused",
      { ...approval, by, attempted: "approve", reason: "own_call" },
      "approval",
    ),
    { class_uid: 6003, status_id: 2, status_detail: "own_call" },
  ],
  [
    "a reveal",
    record(
      "masking.events",
      "OriginalRevealed",
      { originalId: id, sessionId, callId: id, by, justification: "dispute 4" },
      "masking",
    ),
    { class_uid: 6003, activity_id: 2, severity_id: 3 },
  ],
  [
    "a refused look at the evidence",
    record("audit.access", "EvidenceRefused", { action: "search", reason: "forbidden_by_policy" }, "audit"),
    { class_uid: 6003, status_id: 2 },
  ],
  [
    "a gap",
    record(
      "audit.access",
      "RecorderGapDetected",
      { recorderId: "proxy-1", epoch: id, expectedSeq: 3, foundSeq: 5, reason: "missing" },
      "audit",
    ),
    { class_uid: 2006, activity_id: 1, severity_id: 4 },
  ],
  [
    "a quarantined message",
    record(
      "session.events",
      "MessageQuarantined",
      {
        topic: "session.events",
        partition: 0,
        offset: "7",
        consumer: "audit",
        reason: "invalid_data",
        detail: "",
        valueSha256: "b".repeat(64),
        bytes: 3,
      },
      "audit",
    ),
    { class_uid: 2006, severity_id: 4 },
  ],
];

describe("a record for the SIEM", () => {
  it.each(everyKind)("tells %s in its class", (_, given, expected) => {
    expect(ocsfOf(given)).toMatchObject(expected);
  });

  it.each(everyKind)("has what every OCSF event has: %s", (_, given) => {
    const event = ocsfOf(given);
    expect(event.type_uid).toBe(event.class_uid * 100 + event.activity_id);
    expect(event.category_uid).toBe(Math.floor(event.class_uid / 1000));
    expect(event.time).toBe(Date.parse("2026-03-01T10:00:00.000Z"));
    expect(event.metadata).toMatchObject({ uid: id, sequence: 41, event_code: given.type });
    expect(event.activity_id !== 99 || typeof event["activity_name"] === "string").toBe(true);
  });

  it.each(everyKind)("has what its class requires: %s", (_, given) => {
    const event = ocsfOf(given);
    const required: Record<number, string[]> = {
      2006: ["finding_info"],
      3002: ["user", "service"],
      3003: ["user", "privileges"],
      6002: ["app"],
      6003: ["actor", "api", "src_endpoint"],
    };
    for (const attribute of required[event.class_uid] ?? ["?"]) expect(event).toHaveProperty(attribute);
  });

  it("names the session, so that a SIEM can put a story together", () => {
    expect(
      ocsfOf(record("mcp.traffic", "CallHeld", { ...call, approvalId: id })).metadata.correlation_uid,
    ).toBe(sessionId);
  });

  it("carries findings and digests, and never a message", () => {
    const event = ocsfOf(
      record("mcp.traffic", "CallCompleted", { ...call, outcome: "result", response: payload }),
    );
    expect(JSON.stringify(event)).not.toContain('"text"');
    expect(JSON.stringify(event)).toContain(payload.sha256);
    expect(event["enrichments"]).toMatchObject([
      { name: "card_data_found", value: "pan", data: { last4: "1111" } },
    ]);
  });

  it("carries no sealed original and no key", () => {
    const sealed = record("mcp.originals", "OriginalSealed", {
      originalId: id,
      callId: id,
      sessionId,
      endpoint: "payments",
      direction: "server_to_client",
      keyId: id,
      sealed: "eyJhbGciOi",
      sha256: "c".repeat(64),
    });
    const wrapped = record("mcp.originals", "SessionKeyWrapped", {
      keyId: id,
      sessionId,
      vaultKeyId: "v",
      wrapped: "eyJhbGciOi",
    });
    expect(JSON.stringify([ocsfOf(sealed), ocsfOf(wrapped)])).not.toContain("eyJhbGciOi");
  });
});
