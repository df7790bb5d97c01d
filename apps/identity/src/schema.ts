import type { ServiceSchema } from "@countersign/service-kit";
import { OidcModels1763800000000 } from "./migrations/1763800000000-oidc-models.js";
import { Accounts1764100000000 } from "./migrations/1764100000000-accounts.js";

/** The tables of the identity service. */
export const identitySchema: ServiceSchema = {
  schema: "identity",
  migrations: [OidcModels1763800000000, Accounts1764100000000],
};
