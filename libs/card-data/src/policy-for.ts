import type { CardDataPolicy, EndpointCardDataPolicy } from "@countersign/contracts";

const policies = new WeakMap<CardDataPolicy, Map<string, CardDataPolicy>>();

/**
 * The policy that holds at an endpoint: what it adds, on top of what holds for all. The same policy and name give the
 * same object, so that what is prepared for a policy is prepared once.
 */
export function policyFor(policy: CardDataPolicy, endpoint: string): CardDataPolicy {
  const own = Object.hasOwn(policy.endpoints, endpoint) ? policy.endpoints[endpoint] : undefined;
  if (!own) return policy;
  let byEndpoint = policies.get(policy);
  if (!byEndpoint) policies.set(policy, (byEndpoint = new Map<string, CardDataPolicy>()));
  let merged = byEndpoint.get(endpoint);
  if (!merged) byEndpoint.set(endpoint, (merged = together(policy, own)));
  return merged;
}

const together = (policy: CardDataPolicy, own: EndpointCardDataPolicy): CardDataPolicy => ({
  version: policy.version,
  panKeys: [...policy.panKeys, ...own.panKeys],
  cvvKeys: [...policy.cvvKeys, ...own.cvvKeys],
  trackKeys: [...policy.trackKeys, ...own.trackKeys],
  pinKeys: [...policy.pinKeys, ...own.pinKeys],
  contextWords: [...policy.contextWords, ...own.contextWords],
  allow: [...policy.allow, ...own.allow],
  strictness: own.strictness ?? policy.strictness,
  requests: own.requests ?? policy.requests,
  opaque: own.opaque ?? policy.opaque,
  endpoints: {},
});
