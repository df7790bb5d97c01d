import type { PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";

export interface EntityReference {
  readonly type: string;
  readonly id: string;
}

/** Every entity that a policy names, in its head and in its conditions. */
export const entityReferencesOf = (policy: PolicyJson): EntityReference[] => {
  const found: EntityReference[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (typeof value !== "object" || value === null) return;
    const { type, id } = value as { type?: unknown; id?: unknown };
    if (typeof type === "string" && typeof id === "string") found.push({ type, id });
    else Object.values(value).forEach(walk);
  };
  // Annotations hold free text under any name, so only what is evaluated is walked.
  walk([policy.principal, policy.action, policy.resource, policy.conditions]);
  return found;
};
