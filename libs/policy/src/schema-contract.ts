import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import type { Principal } from "@countersign/contracts";
import { cedarRequestOf } from "./cedar-request.js";
import type { Operation, PolicyRequest } from "./request.js";
import { actionsIn, standIns } from "./schema-actions.js";

/**
 * Asks every kind of question that the gateway asks, once with as little and once with as much as it can carry, of a
 * schema. What comes back names the actions that the schema would not accept; an edited schema fails here and not on
 * the first call.
 */
export const schemaMismatches = (schema: string): string[] => {
  // One name for all checks: each overwrites the one before, and nothing runs between.
  preparseSchema(slot, schema);
  preparsePolicySet(slot, {});
  const actions = actionsIn(schema);
  const mismatches = sampleRequests.flatMap((request) => {
    if (request.action in standIns && !actions.has(request.action)) return [];
    // No argument at all: a schema with a mandatory argument would refuse every tool that lacks it.
    const translated = cedarRequestOf(request, new Date(0), { argumentTypes: new Map(), actions });
    if ("problem" in translated) return [translated.problem];
    const answer = statefulIsAuthorized({
      ...translated,
      preparsedSchemaName: slot,
      preparsedPolicySetId: slot,
      validateRequest: true,
    });
    if (answer.type === "success") return [];
    const reason = answer.errors.map(({ message }) => message).join("; ");
    return [`the gateway's own \`${request.action}\` request does not fit the schema: ${reason}`];
  });
  return [...new Set(mismatches)];
};

const slot = "schema-contract";
const full = { name: "n", email: "e", groups: ["g"] };
const user: Principal = { id: "u", kind: "human", ...full };
const principals: Principal[] = [
  user,
  { id: "u", kind: "human", groups: [] },
  { id: "w", kind: "workload", ...full },
  { id: "w", kind: "workload", groups: [] },
];
const operations: Operation[] = [
  { kind: "tool", name: "t" },
  {
    kind: "tool",
    name: "t",
    annotations: { readOnlyHint: true, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  },
  { kind: "resource", uri: "r" },
  { kind: "prompt", name: "p" },
  { kind: "method", name: "m" },
];
const client = { id: "c", name: "n" };
const time = "1970-01-01T00:00:00.000Z";

const sampleRequests: PolicyRequest[] = principals.flatMap((principal): PolicyRequest[] => [
  ...[{ provider: "p" }, { provider: "p", amr: ["mfa"], acr: "1", authTime: time }].flatMap(
    (authentication): PolicyRequest[] =>
      (["openSession", "openSessionUnattended"] as const).map((action) => ({
        action,
        principal,
        endpoint: "e",
        client,
        justification: "j",
        authentication,
        durationSeconds: 1,
      })),
  ),
  ...operations.flatMap((operation): PolicyRequest[] => [
    { action: "call", principal, endpoint: "e", operation, client },
    { action: "callUnattended", principal, endpoint: "e", operation, client: { id: "c" } },
  ]),
  { action: "approve", principal: user, endpoint: "e", tool: "t", requester: principal },
  ...(["reveal", "revealUnattended", "search"] as const).flatMap((action): PolicyRequest[] => [
    { action, principal },
    { action, principal, endpoint: "e" },
  ]),
  { action: "administer", principal },
]);
