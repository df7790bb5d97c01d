import type { ServiceSchema } from "@countersign/service-kit";
import { EvidenceLog1760000000000 } from "./migrations/1760000000000-evidence-log.js";

export const auditSchema: ServiceSchema = { schema: "audit", migrations: [EvidenceLog1760000000000] };
