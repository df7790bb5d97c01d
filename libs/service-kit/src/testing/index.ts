/** What the specs of several services need; no service imports it. */
export { createDatabase, type TestDatabase } from "./database.fixture.js";
export { TestIssuer } from "./issuer.fixture.js";
