export { checkPolicies, type PolicyProblem, type PolicySources, schemaFile } from "./check.js";
export { PolicyBundleRefused, PolicyEngine } from "./engine.js";
export { type Lacking, lackingIn } from "./login-strength.js";
export { nearest } from "./nearest.js";
export { operationOf } from "./operation-of.js";
export type { PolicyFile } from "./policy-files.js";
export type { Operation, PolicyDecision, PolicyRequest, ToolAnnotations } from "./request.js";
