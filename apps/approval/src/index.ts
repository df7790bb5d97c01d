import type { ServiceSchema } from "@countersign/service-kit";
import { MakeApprovals1764000000000 } from "./migrations/1764000000000-make-approvals.js";
import { schemaName } from "./schema-name.js";

/** The tables of the approval service. */
export const approvalSchema: ServiceSchema = {
  schema: schemaName,
  migrations: [MakeApprovals1764000000000],
};
