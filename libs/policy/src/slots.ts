import { preparsePolicySet } from "@cedar-policy/cedar-wasm/nodejs";

/**
 * Cedar keeps parsed policy sets by name for as long as the process lives and cannot forget one. Names are therefore
 * reused: once their owner is collected, its slot is emptied and waits for the next one.
 */
const free: string[] = [];
let made = 0;

const collected = new FinalizationRegistry<string>((slot) => {
  preparsePolicySet(slot, { staticPolicies: {} });
  free.push(slot);
});

/** Parses the policies into a slot that is the owner's for its lifetime; `undefined` where Cedar cannot parse them. */
export const acquireSlot = (owner: object, policies: ReadonlyMap<string, string>): string | undefined => {
  const slot = free.pop() ?? `slot-${++made}`;
  const answer = preparsePolicySet(slot, { staticPolicies: Object.fromEntries(policies) });
  if (answer.type === "failure") {
    free.push(slot);
    return undefined;
  }
  collected.register(owner, slot);
  return slot;
};
