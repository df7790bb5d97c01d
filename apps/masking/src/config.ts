import { servicePorts } from "@countersign/contracts";
import { keysFile, postgresConfig, serviceConfig } from "@countersign/service-kit";
import { z } from "zod";

export const maskingConfig = serviceConfig.extend({
  ...postgresConfig.shape,
  PORT: serviceConfig.shape.PORT.default(servicePorts.masking),
  COUNTERSIGN_CONFIG: z.string().min(1).default("countersign.yaml").describe("Path of countersign.yaml."),
  VAULT_KEYS_FILE: z
    .string()
    .min(1)
    .describe(
      "Private JSON Web Key Set (P-256 or X25519, each with a kid); originals are sealed to its first key, all of them open.",
    ),
  FINGERPRINT_KEY_FILE: keysFile
    .optional()
    .describe("The proxies' fingerprint keys, so that a card that was missed is found by its number, too."),
});
export type MaskingConfig = z.infer<typeof maskingConfig>;

/** What countersign.yaml may refer to in its `${...}`. */
export const configurationEnvironment = (): NodeJS.ProcessEnv => process.env;
