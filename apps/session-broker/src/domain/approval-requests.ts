import { createHash } from "node:crypto";
import {
  type approvalCommands,
  type MessageOf,
  type Principal,
  type RequestApproval,
  type RequestSession,
  type SessionExtensionRequested,
  sessionTools,
} from "@countersign/contracts";
import type { SessionEvent } from "./session.js";

type ApprovalCommand = MessageOf<(typeof approvalCommands)[number]>;

/** What the approval of a session is bound to. */
export const sessionDigest = (
  approvalId: string,
  request: RequestSession,
  durationSeconds: number,
): string => {
  const { sessionId, principal, client, endpoint, justification } = request;
  return digestOf(
    "session",
    approvalId,
    sessionId,
    principal.id,
    client.id,
    endpoint,
    durationSeconds,
    justification,
  );
};

/** What the approval of more time is bound to. */
export const extensionDigest = (
  approvalId: string,
  { sessionId, principal, client, endpoint }: RequestSession,
  asked: { readonly extendedUntil: string; readonly justification: string },
): string =>
  digestOf(
    "extension",
    approvalId,
    sessionId,
    principal.id,
    client.id,
    endpoint,
    asked.extendedUntil,
    asked.justification,
  );

const digestOf = (kind: string, ...parts: (string | number)[]): string =>
  createHash("sha256")
    .update(JSON.stringify([`${kind} v1`, ...parts]))
    .digest("hex");

/** What an approver sees of a session beside who asks and why, and what policies see as `context.arguments`. */
export const sessionArguments = (
  { authentication, clientAddress }: RequestSession,
  durationSeconds: number,
): object => ({
  duration_seconds: durationSeconds,
  login: {
    provider: authentication.provider,
    at: authentication.authTime,
    several_factors: authentication.mfa === true,
  },
  client_address: clientAddress,
});

type AskedTime = Pick<
  SessionExtensionRequested,
  "durationSeconds" | "grantedAt" | "openedFor" | "expiresAt" | "extendedUntil"
>;

/** The same of more time. */
export const extensionArguments = (asked: AskedTime): object => ({
  duration_seconds: asked.durationSeconds,
  open_since: asked.grantedAt,
  opened_for: asked.openedFor,
  ends_without_it: asked.expiresAt,
  ends_with_it: asked.extendedUntil,
});

/** What the approval service has to be told of what happened to a session. */
export const approvalCommandsOf = (events: readonly SessionEvent[]): ApprovalCommand[] =>
  events.flatMap((event): ApprovalCommand[] => {
    switch (event.type) {
      case "SessionAwaitsApproval": {
        const { data } = event;
        return [requestOf("session", data, sessionArguments(data, data.durationSeconds))];
      }
      case "SessionExtensionRequested": {
        return [requestOf("extension", event.data, extensionArguments(event.data))];
      }
      case "SessionDenied":
      case "SessionExtensionRefused": {
        const { cause, approvalId, reason } = event.data;
        return cause === "withdrawn" && approvalId !== undefined
          ? [{ type: "WithdrawApproval", data: { approvalId, reason } }]
          : [];
      }
      case "SessionRequested":
      case "SessionGranted":
      case "SessionExtended":
      case "SessionRevoked":
      case "SessionExpired":
        return [];
    }
  });

type Asked = Omit<RequestApproval, "kind" | "requester" | "tool" | "arguments" | "expiresAt"> & {
  readonly principal: Principal;
  readonly waitsUntil: string;
};

const requestOf = (kind: keyof typeof sessionTools, asked: Asked, shown: object): ApprovalCommand => {
  const { approvalId, sessionId, principal, client, endpoint, requestDigest, justification, waitsUntil } =
    asked;
  return {
    type: "RequestApproval",
    data: {
      approvalId,
      kind,
      sessionId,
      requester: principal,
      client,
      endpoint,
      tool: sessionTools[kind],
      arguments: JSON.stringify(shown),
      requestDigest,
      justification,
      expiresAt: waitsUntil,
    },
  };
};
