import type { ServiceSchema } from "@countersign/service-kit";
import { MakeSessions1764000000000 } from "./migrations/1764000000000-make-sessions.js";
import { WaitingSessions1764300000000 } from "./migrations/1764300000000-waiting-sessions.js";
import { schemaName } from "./schema-name.js";

/** The tables of the session broker. */
export const sessionBrokerSchema: ServiceSchema = {
  schema: schemaName,
  migrations: [MakeSessions1764000000000, WaitingSessions1764300000000],
};
