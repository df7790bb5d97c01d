import { servicePorts } from "@countersign/contracts";
import { keysFile, postgresConfig, serviceConfig } from "@countersign/service-kit";
import { z } from "zod";

export const auditConfig = serviceConfig.extend({
  ...postgresConfig.shape,
  PORT: serviceConfig.shape.PORT.default(servicePorts.audit),
  CHECKPOINT_KEY_FILE: z
    .string()
    .min(1)
    .describe("Ed25519 private key (PKCS #8, PEM) that signs checkpoints."),
  FINGERPRINT_KEY_FILE: keysFile
    .optional()
    .describe(
      "The proxies' fingerprint keys, to find the records of a card by its number; without it nobody can.",
    ),
  LOG_ORIGIN: z
    .string()
    .regex(/^[^\s+]+$/, { error: "must be one word without spaces and plus signs, like example.com/log" })
    .optional()
    .describe("The log's name on its checkpoints; the gateway's host and `/log` unless set."),
  PAST_VERIFIER_KEYS: z
    .string()
    .default("")
    .transform((value) => value.split(",").filter((key) => key !== ""))
    .describe("Verifier keys of earlier checkpoint keys, separated by commas, once the key was changed."),
});
export type AuditConfig = z.infer<typeof auditConfig>;

/** The log's name. Once checkpoints bear it, it should not change: readers hold a verifier key of this name. */
export const logOriginOf = (config: Pick<AuditConfig, "GATEWAY_URL" | "LOG_ORIGIN">): string =>
  config.LOG_ORIGIN ?? `${new URL(config.GATEWAY_URL).host}/log`;
