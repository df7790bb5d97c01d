import type { EventOn } from "@countersign/contracts";
import { classes, type Described, otherActivity } from "./ocsf-base.js";
import { actorOf, enrichmentsOf, sourceOf, type Who } from "./ocsf-objects.js";

type Call = Extract<
  EventOn<"mcp.traffic">,
  { type: "CallIntended" | "CallRefused" | "CallHeld" | "CallReleased" | "CallCompleted" | "MessageRecorded" }
>;

export const apiActivities = { create: 1, read: 2, update: 3, delete: 4 } as const;

/** One JSON-RPC message through the gateway. */
export function callActivity(event: Call): Described {
  const { data } = event;
  const { principal, client, sessionId, callId, endpoint, target, clientAddress, method } = data;
  const operation = method ?? "unknown";
  const payload = payloadOf(event);
  return {
    class: classes.apiActivity,
    ...activityOf(operation),
    ...resultOf(event),
    sessionId,
    attributes: {
      actor: actorOf({ person: principal, client, sessionId, service: "proxy" }),
      api: {
        operation,
        request: { uid: callId },
        ...(endpoint === undefined ? {} : { service: { name: endpoint } }),
        ...responseOf(event),
      },
      src_endpoint: sourceOf(clientAddress, "proxy"),
      ...(endpoint === undefined ? {} : { dst_endpoint: { svc_name: endpoint } }),
      ...(target === undefined ? {} : { resources: [{ name: target, type: resourceType(operation) }] }),
      ...(event.type === "CallCompleted" && event.data.latencyMs !== undefined
        ? { duration: event.data.latencyMs }
        : {}),
      ...enrichmentsOf(payload?.findings ?? []),
    },
  };
}

interface Deed {
  readonly operation: string;
  readonly activity: keyof typeof apiActivities | { readonly named: string };
  readonly who: Who;
  readonly clientAddress?: string | undefined;
  readonly resource?: { readonly name?: string; readonly uid?: string; readonly type: string } | undefined;
  readonly status?: Described["status"];
  readonly statusDetail?: string | undefined;
  readonly severity?: Described["severity"];
}

/** What somebody did with Countersign itself: asked, approved, read evidence, opened an original. */
export function ownActivity(deed: Deed): Described {
  const { operation, activity, who, clientAddress, resource, status, statusDetail, severity } = deed;
  return {
    class: classes.apiActivity,
    ...(typeof activity === "string"
      ? { activity: apiActivities[activity] }
      : { activity: otherActivity, activityName: activity.named }),
    ...(status === undefined ? {} : { status }),
    ...(severity === undefined ? {} : { severity }),
    statusDetail,
    sessionId: who.sessionId,
    attributes: {
      actor: actorOf(who),
      api: { operation, service: { name: `countersign ${who.service}` } },
      src_endpoint: sourceOf(clientAddress, who.service),
      ...(resource === undefined ? {} : { resources: [resource] }),
    },
  };
}

/** A tool may read or write, and its own word on that is not evidence; so a tool call is a kind of its own. */
function activityOf(method: string): Pick<Described, "activity" | "activityName"> {
  if (/^(resources|prompts)\/(read|get)$|\/list$/.test(method)) return { activity: apiActivities.read };
  return { activity: otherActivity, activityName: method };
}

function resultOf(event: Call): Pick<Described, "status" | "statusDetail" | "severity"> {
  switch (event.type) {
    case "CallIntended":
    case "MessageRecorded":
      return {};
    case "CallHeld":
      return { severity: "low" };
    case "CallReleased":
      return { status: "success" };
    case "CallRefused":
      return { status: "failure", statusDetail: event.data.reason, severity: "medium" };
    case "CallCompleted":
      return event.data.outcome === "result"
        ? { status: "success" }
        : { status: "failure", statusDetail: event.data.outcome, severity: "low" };
  }
}

const responseOf = (event: Call): Record<string, unknown> =>
  event.type === "CallCompleted" && event.data.httpStatus !== undefined
    ? { response: { code: event.data.httpStatus } }
    : {};

function payloadOf(event: Call) {
  switch (event.type) {
    case "CallIntended":
    case "CallRefused":
      return event.data.request;
    case "CallCompleted":
      return event.data.response;
    case "MessageRecorded":
      return event.data.message;
    case "CallHeld":
    case "CallReleased":
      return undefined;
  }
}

const resourceType = (method: string): string =>
  method.startsWith("tools/") ? "MCP tool" : method.startsWith("prompts/") ? "MCP prompt" : "MCP resource";
