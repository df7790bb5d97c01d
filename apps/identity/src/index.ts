export { identitySchema } from "./schema.js";
export { identityConfig, type IdentityConfig } from "./config.js";
export { identityService } from "./service.js";
