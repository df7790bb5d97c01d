import { servicePorts } from "@countersign/contracts";
import { postgresConfig, serviceConfig } from "@countersign/service-kit";
import { z } from "zod";

export const sessionBrokerConfig = serviceConfig.extend({
  ...postgresConfig.shape,
  PORT: serviceConfig.shape.PORT.default(servicePorts["session-broker"]),
  COUNTERSIGN_CONFIG: z
    .string()
    .min(1)
    .default("countersign.yaml")
    .describe("The file and, beside it, its policies."),
});
export type SessionBrokerConfig = z.infer<typeof sessionBrokerConfig>;
