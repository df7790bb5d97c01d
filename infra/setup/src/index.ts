export { setup, type SetupOptions, type SetupOutcome } from "./setup.js";
export { schemas, type ServiceWithTables, servicesWithTables } from "./schemas.js";
export { SetupFailed, type SetupFailedCode } from "./setup-failed.js";
export { ensureTopics, type TopicsOutcome } from "./topics.js";
export { ensureDatabase } from "./database.js";
