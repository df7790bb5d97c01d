import type { CedarValueJson, EntityJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
import type { Principal } from "@countersign/contracts";
import type { ArgumentTypes } from "./argument-types.js";
import { convertArguments } from "./arguments.js";
import type { Operation, PolicyRequest } from "./request.js";
import type { DeclaredActions } from "./schema-actions.js";

/** The one `Gateway`; every endpoint is in it. */
export const gatewayId = "countersign";

/** A request in Cedar's terms: the entities it names and the context that policies read. */
export interface CedarRequest {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: Record<string, CedarValueJson>;
  readonly entities: EntityJson[];
}

/** What of a bundle's schema bears on how a request is put. */
export interface Declared {
  readonly argumentTypes: ArgumentTypes;
  readonly actions: DeclaredActions;
}

/**
 * Translates a request. Principals are `User` or `Workload` in their `Group`s; tools, resources, prompts and other
 * methods are in their `Endpoint` and are named `<endpoint>/<name>`; endpoints are in the `Gateway`.
 */
export const cedarRequestOf = (
  request: PolicyRequest,
  now: Date,
  { argumentTypes, actions }: Declared,
): CedarRequest | { readonly problem: string } => {
  // A group may hold workloads too, and a policy about a group would let them decide.
  if (request.action === "approve" && request.principal.kind !== "human")
    return { problem: "only a person may approve" };
  const converted = convertArguments("arguments" in request ? request.arguments : undefined, argumentTypes);
  if ("problem" in converted) return converted;
  const principal = principalEntity(request.principal);
  const resources = resourceEntities(request);
  return {
    principal: principal.uid,
    action: { type: "Action", id: request.action },
    resource: resources[0].uid,
    context: contextOf(request, now, converted.value, actions.get(request.action)),
    entities: [principal, ...resources],
  };
};

type Entity = EntityJson & { readonly uid: TypeAndId };

const principalEntity = ({ id, kind, name, email, groups }: Principal): Entity => ({
  uid: { type: kind === "human" ? "User" : "Workload", id },
  attrs: present({ id, name, email }),
  parents: groups.map((group) => ({ type: "Group", id: group })),
});

const gateway: Entity = { uid: { type: "Gateway", id: gatewayId }, attrs: {}, parents: [] };

const endpointEntity = (name: string): Entity => ({
  uid: { type: "Endpoint", id: name },
  attrs: { name },
  parents: [gateway.uid],
});

/** The resource itself first, then what it is in. */
const resourceEntities = (request: PolicyRequest): [Entity, ...Entity[]] => {
  switch (request.action) {
    case "call":
    case "callUnattended":
      return operationEntities(request.endpoint, request.operation);
    case "approve":
      return operationEntities(request.endpoint, { kind: "tool", name: request.tool });
    case "openSession":
    case "openSessionUnattended":
      return [endpointEntity(request.endpoint), gateway];
    case "reveal":
    case "revealUnattended":
    case "search":
      return request.endpoint === undefined ? [gateway] : [endpointEntity(request.endpoint), gateway];
    case "administer":
      return [gateway];
  }
};

const operationEntities = (endpoint: string, operation: Operation): [Entity, ...Entity[]] => {
  const parent = endpointEntity(endpoint);
  const entity = (type: string, name: string, attrs: Record<string, CedarValueJson>): Entity => ({
    uid: { type, id: `${endpoint}/${name}` },
    attrs,
    parents: [parent.uid],
  });
  const resource = (): Entity => {
    switch (operation.kind) {
      case "tool":
        return entity("Tool", operation.name, {
          name: operation.name,
          ...present({
            readOnly: operation.annotations?.readOnlyHint,
            destructive: operation.annotations?.destructiveHint,
            idempotent: operation.annotations?.idempotentHint,
            openWorld: operation.annotations?.openWorldHint,
          }),
        });
      case "resource":
        return entity("Resource", operation.uri, { uri: operation.uri });
      case "prompt":
        return entity("Prompt", operation.name, { name: operation.name });
      case "method":
        return entity("Method", operation.name, { name: operation.name });
    }
  };
  return [resource(), parent, gateway];
};

const contextOf = (
  request: PolicyRequest,
  now: Date,
  callArguments: Record<string, CedarValueJson>,
  declared: ReadonlySet<string> | undefined,
): Record<string, CedarValueJson> => {
  const context = { now: nowOf(now) };
  switch (request.action) {
    case "openSession":
    case "openSessionUnattended": {
      const { provider, amr, acr, authTime } = request.authentication;
      return {
        ...context,
        client: present({ id: request.client.id, name: request.client.name }),
        // Schemas that were copied before policies could see the length do not declare it.
        ...(declared?.has("minutes") ? present({ minutes: wholeMinutes(request.durationSeconds) }) : {}),
        justification: request.justification,
        authentication: {
          provider,
          amr: amr ?? [],
          ...present({ acr, time: authTime === undefined ? undefined : datetime(authTime) }),
        },
      };
    }
    case "call":
    case "callUnattended":
      return {
        ...context,
        client: present({ id: request.client.id, name: request.client.name }),
        arguments: callArguments,
      };
    case "approve": {
      const { id, kind, groups } = request.requester;
      return { ...context, requester: { id, kind, groups }, arguments: callArguments };
    }
    case "reveal":
    case "revealUnattended":
    case "search":
    case "administer":
      return context;
  }
};

/** Rounded up: nobody gets a second more than a policy that counts in minutes says. */
const wholeMinutes = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.ceil(seconds / 60);

const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;

const nowOf = (now: Date): CedarValueJson => ({
  time: datetime(now.toISOString()),
  hour: now.getUTCHours(),
  weekday: weekdays[now.getUTCDay()] ?? "",
});

const datetime = (iso: string): CedarValueJson => ({ __extn: { fn: "datetime", arg: iso } });

/** Cedar has no null: an attribute that is not known is absent, and policies ask with `has`. */
const present = (attributes: Record<string, CedarValueJson | undefined>): Record<string, CedarValueJson> =>
  Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, CedarValueJson] => entry[1] !== undefined),
  );
