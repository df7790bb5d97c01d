export type {
  BundleContent,
  Configuration,
  IdentityProvider,
  WorkloadIssuer,
  KeyedClient,
  OidcProvider,
  SamlProvider,
} from "./configuration.js";
export { durationSeconds } from "./duration.js";
export { configurationFingerprint } from "./fingerprint.js";
export { loadConfiguration } from "./load-configuration.js";
export { type ConfigurationProblem, ConfigurationRefused } from "./problems.js";
