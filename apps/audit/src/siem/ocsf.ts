import {
  type ApprovalKind,
  type EventOn,
  ocsfEvent,
  type OcsfEvent,
  type RecordView,
} from "@countersign/contracts";
import type { projectedTopics } from "../projected-topics.js";
import { callActivity, ownActivity } from "./api-activity.js";
import { authenticationActivity, sessionChanged, sessionGranted } from "./identity-and-access.js";
import { classes, type Described, frame } from "./ocsf-base.js";

/** Whatever the log holds; the projection let nothing else in. */
export type Evidence = EventOn<(typeof projectedTopics)[number]>;

/** One record as one OCSF 1.8 event, checked against the contract. */
export const ocsfOf = (record: RecordView): OcsfEvent =>
  ocsfEvent.parse(frame(record, describe(record as unknown as Evidence)));

function describe(event: Evidence): Described {
  switch (event.type) {
    case "CallIntended":
    case "CallRefused":
    case "CallHeld":
    case "CallReleased":
    case "CallCompleted":
    case "MessageRecorded":
      return callActivity(event);
    case "RecorderStarted":
      return lifecycle("start", `recorder ${event.data.recorder.id}`);
    case "RecorderStopped":
      return lifecycle("stop", `recorder ${event.data.recorder.id}`);
    case "PolicyBundlePublished":
      return lifecycle("update", `policy bundle ${event.data.version}`);
    case "ToolPinned":
      return lifecycle("update", `tool ${event.data.endpoint}/${event.data.tool}`);
    case "ToolChanged":
      return incident(event, "A tool's definition changed", `${event.data.endpoint}/${event.data.tool}`);
    case "ToolChangeAccepted":
      return ownActivity({
        operation: "tool.accept-change",
        activity: "update",
        who: { person: event.data.by, service: event.source },
        resource: { name: `${event.data.endpoint}/${event.data.tool}`, type: "MCP tool" },
        status: "success",
        severity: "medium",
      });
    case "CardDataPolicyPublished":
      return lifecycle("update", `card-data policy ${event.data.policy.version}`);
    case "VaultKeyPublished":
      return lifecycle("update", `vault key ${event.data.keyId}`);
    case "PrincipalAuthenticated":
    case "AuthenticationFailed":
    case "AccessTokenIssued":
      return authenticationActivity(event);
    case "ClientRegistered": {
      const { client, clientAddress } = event.data;
      const who = { client, service: "identity" };
      const resource = { uid: client.id, type: "OAuth client" };
      return ownActivity({ operation: "client.register", activity: "create", who, clientAddress, resource });
    }
    case "SessionGranted":
      return sessionGranted(event.data);
    case "SessionAwaitsApproval": {
      const { sessionId, principal, endpoint, justification } = event.data;
      const about = { sessionId, principalId: principal.id, endpoint };
      return sessionChanged(about, { name: "Await approval", reason: justification });
    }
    case "SessionExtensionRequested":
      return sessionChanged(event.data, { name: "Ask for extension", reason: event.data.justification });
    case "SessionExtended": {
      const { approvedBy, expiresAt } = event.data;
      return sessionChanged(event.data, {
        name: "Extend",
        reason: `until ${expiresAt}, approved by ${approvedBy.name ?? approvedBy.id}`,
      });
    }
    case "SessionExtensionRefused":
      return sessionChanged(event.data, { name: "Deny extension", reason: event.data.reason, refused: true });
    case "SessionDenied":
      return sessionChanged(event.data, { name: "Deny", reason: event.data.reason, refused: true });
    case "SessionRevoked":
      return sessionChanged(event.data, { name: "Revoke", reason: event.data.reason });
    case "SessionExpired":
      return sessionChanged(event.data, { name: "Expire", reason: event.data.cause });
    case "RequestSession":
    case "SessionRequested": {
      const { principal, client, sessionId, clientAddress, endpoint } = event.data;
      return ownActivity({
        operation: "session.request",
        activity: "create",
        who: { person: principal, client, sessionId, service: event.source },
        clientAddress,
        resource: { name: endpoint, type: "endpoint" },
      });
    }
    case "RevokeSession":
      return ownActivity({
        operation: "session.revoke",
        activity: "delete",
        who: { person: event.data.by, sessionId: event.data.sessionId, service: event.source },
        statusDetail: event.data.reason,
      });
    case "RequestApproval":
    case "ApprovalRequested":
      return ownActivity({
        operation: "approval.request",
        activity: "create",
        who: {
          person: event.data.requester,
          client: event.data.client,
          sessionId: event.data.sessionId,
          service: event.source,
        },
        resource: approvedThing(event.data),
      });
    case "WithdrawApproval":
      return ownActivity({
        operation: "approval.withdraw",
        activity: "delete",
        who: { service: event.source },
        statusDetail: event.data.reason,
      });
    case "ApprovalGranted":
      return approvalDecided(event, "approval.grant", "success");
    case "ApprovalDenied":
      return approvalDecided(event, "approval.deny", "success");
    case "ApprovalAttemptRefused":
      return approvalDecided(event, `approval.${event.data.attempted}`, "failure", event.data.reason);
    case "ApprovalExpired":
    case "ApprovalWithdrawn":
      return ownActivity({
        operation: event.type === "ApprovalExpired" ? "approval.expire" : "approval.withdraw",
        activity: "delete",
        who: {
          person: { id: event.data.requesterId },
          sessionId: event.data.sessionId,
          service: event.source,
        },
        resource: approvedThing(event.data),
      });
    case "SessionKeyWrapped":
      return vaultActivity("vault.wrap-key", "create", event.data.keyId, event);
    case "OriginalSealed":
      return vaultActivity("vault.seal", "create", event.data.originalId, event);
    case "OriginalStored":
      return vaultActivity("vault.store", "create", event.data.originalId, event);
    case "OriginalRevealed":
      return {
        ...ownActivity({
          operation: "vault.reveal",
          activity: "read",
          who: { person: event.data.by, sessionId: event.data.sessionId, service: event.source },
          resource: { uid: event.data.originalId, type: "sealed original" },
          status: "success",
          statusDetail: event.data.justification,
          severity: "medium",
        }),
      };
    case "SessionKeyDestroyed":
      return ownActivity({
        operation: "vault.destroy-keys",
        activity: "delete",
        who: { person: event.data.by, sessionId: event.data.sessionId, service: event.source },
        resource: { uid: event.data.sessionId, type: "session's sealed originals" },
        status: "success",
        statusDetail: event.data.justification ?? event.data.cause,
        severity: event.data.cause === "request" ? "medium" : "informational",
      });
    case "SessionKeysRewrapped":
      return lifecycle("update", `vault key ${event.data.vaultKeyId}`);
    case "RevealRefused":
      return ownActivity({
        operation: "vault.reveal",
        activity: "read",
        who: { person: event.data.by, service: event.source },
        resource: { uid: event.data.originalId, type: "sealed original" },
        status: "failure",
        statusDetail: event.data.reason,
        severity: "medium",
      });
    case "ShredRefused":
      return ownActivity({
        operation: "vault.destroy-keys",
        activity: "delete",
        who: { person: event.data.by, service: event.source },
        resource: { uid: event.data.sessionId, type: "session's sealed originals" },
        status: "failure",
        statusDetail: event.data.reason,
        severity: "medium",
      });
    case "EvidenceRead":
      return ownActivity({
        operation: `evidence.${event.data.action}`,
        activity: "read",
        who: { person: event.data.by, service: event.source },
        status: "success",
      });
    case "EvidenceRefused":
      return ownActivity({
        operation: `evidence.${event.data.action}`,
        activity: "read",
        who: { person: event.data.by, service: event.source },
        status: "failure",
        statusDetail: event.data.reason,
        severity: "medium",
      });
    case "RecorderGapDetected":
      return incident(event, "A recorder's numbering has a hole or a broken chain", event.data.reason);
    case "EvidenceAltered":
      return incident(event, "A stored record was altered", `record ${event.data.logIndex}`);
    case "CardDataMissed": {
      const kinds = new Set(event.data.view.findings.map(({ kind, rule }) => `${kind} (${rule})`));
      const found = incident(event, "Card data was recorded unmasked", [...kinds].join(", "));
      return { ...found, sessionId: event.data.sessionId };
    }
    case "MessageQuarantined":
      return incident(event, "A message on the log cannot be read", event.data.reason);
  }
}

/** OCSF 6002: 3 starts, 4 stops, 8 updates. */
const lifecycleActivities = { start: 3, stop: 4, update: 8 } as const;

const lifecycle = (activity: keyof typeof lifecycleActivities, part: string): Described => ({
  class: classes.applicationLifecycle,
  activity: lifecycleActivities[activity],
  status: "success",
  attributes: { app: { name: "Countersign", vendor_name: "Countersign", feature: { name: part } } },
});

type Decision = Extract<Evidence, { type: "ApprovalGranted" | "ApprovalDenied" | "ApprovalAttemptRefused" }>;

/** What somebody decides. */
const approvedThing = ({
  kind = "call",
  tool,
  endpoint,
}: {
  kind?: ApprovalKind;
  tool: string;
  endpoint: string;
}) =>
  kind === "call" || kind === "reveal"
    ? { name: tool, type: "MCP tool" }
    : { name: endpoint, type: kind === "session" ? "session" : "session extension" };

const approvalDecided = (
  { data, source }: Decision,
  operation: string,
  status: "success" | "failure",
  statusDetail = "comment" in data ? data.comment : undefined,
): Described =>
  ownActivity({
    operation,
    activity: "update",
    who: { person: data.by, sessionId: data.sessionId, service: source },
    resource: approvedThing(data),
    status,
    statusDetail,
    ...(status === "failure" ? { severity: "medium" as const } : {}),
  });

const vaultActivity = (
  operation: string,
  activity: "create" | "read",
  uid: string,
  { data, source }: { data: { sessionId: string }; source: string },
): Described =>
  ownActivity({
    operation,
    activity,
    who: { sessionId: data.sessionId, service: source },
    resource: { uid, type: "sealed original" },
  });

/** OCSF 2006: 1 creates a finding. */
const incident = ({ id }: { id: string }, title: string, reason: string): Described => ({
  class: classes.dataSecurityFinding,
  activity: 1,
  severity: "high",
  statusDetail: reason,
  attributes: { finding_info: { uid: id, title }, is_alert: true },
});
