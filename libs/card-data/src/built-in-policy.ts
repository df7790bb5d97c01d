import type { CardDataPolicy } from "@countersign/contracts";

/** The built-in detectors and nothing else. */
export const BUILT_IN_POLICY: CardDataPolicy = {
  version: "built-in",
  panKeys: [],
  cvvKeys: [],
  trackKeys: [],
  pinKeys: [],
  contextWords: [],
  allow: [],
  strictness: "normal",
  requests: "forward",
  opaque: "pass",
  endpoints: {},
};
