import type { ServiceSchema } from "@countersign/service-kit";
import { OidcModels1763800000000 } from "./migrations/1763800000000-oidc-models.js";

/** The tables of the identity service. */
export const identitySchema: ServiceSchema = {
  schema: "identity",
  migrations: [OidcModels1763800000000],
};
