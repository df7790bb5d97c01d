export { type DevIdpOptions, type RunningDevIdp, startDevIdp } from "./dev-idp.js";
export { type Account, accounts, workload } from "./accounts.js";
