import { type Configuration, loadConfiguration } from "@countersign/configuration";
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
/** `countersign.yaml`, whose URLs and client ids may name environment variables. Errors: ConfigurationRefused. */
export const readConfiguration = ({
  COUNTERSIGN_CONFIG: path,
}: SessionBrokerConfig): Promise<Configuration> => loadConfiguration(path, process.env);

export type SessionBrokerConfig = z.infer<typeof sessionBrokerConfig>;
