import type { ServiceSchema } from "@countersign/service-kit";
import { CardsAndViews1764100000000 } from "./migrations/1764100000000-cards-and-views.js";
import { EvidenceLog1760000000000 } from "./migrations/1760000000000-evidence-log.js";

export const auditSchema: ServiceSchema = {
  schema: "audit",
  migrations: [EvidenceLog1760000000000, CardsAndViews1764100000000],
};
