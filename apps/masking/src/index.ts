import type { ServiceSchema } from "@countersign/service-kit";
import { Vault1760000000000 } from "./migrations/1760000000000-vault.js";
import { Destruction1764200000000 } from "./migrations/1764200000000-destruction.js";

export const maskingSchema: ServiceSchema = {
  schema: "masking",
  migrations: [Vault1760000000000, Destruction1764200000000],
};
