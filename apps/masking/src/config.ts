import { readFileSync } from "node:fs";
import { servicePorts } from "@countersign/contracts";
import { keysFile, postgresConfig, serviceConfig, VaultFailed } from "@countersign/service-kit";
import { z } from "zod";

/** A path in Vault, short enough that what is wrapped beside it in an id stays readable. */
const vaultName = (form: RegExp): z.ZodString =>
  z.string().max(128).regex(form, "must be letters, digits, dots, hyphens and underscores, as Vault has it");

const loopback = new Set(["127.0.0.1", "[::1]", "localhost"]);
const isGuarded = (url: string): boolean => {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && loopback.has(hostname));
};

const variables = z.object({
  ...serviceConfig.shape,
  ...postgresConfig.shape,
  PORT: serviceConfig.shape.PORT.default(servicePorts.masking),
  COUNTERSIGN_CONFIG: z.string().min(1).default("countersign.yaml").describe("Path of countersign.yaml."),
  VAULT_KEYS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Private JSON Web Key Set (P-256 or X25519, each with a kid); originals are sealed to its first key, all of them open. Beside VAULT_TRANSIT_URL its keys only open.",
    ),
  VAULT_TRANSIT_URL: z
    .url()
    .refine(isGuarded, {
      message: "must be https (http on this machine only), since unwrapped keys come back on it",
      abort: true,
    })
    .optional()
    .describe("HashiCorp Vault, whose transit engine holds the vault's keys."),
  VAULT_TRANSIT_KEY: vaultName(/^\w[\w.-]*$/)
    .optional()
    .describe("Name of the transit key, of type rsa-4096 or rsa-3072."),
  VAULT_TRANSIT_MOUNT: vaultName(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/)
    .default("transit")
    .describe("Where the transit engine is mounted."),
  VAULT_TRANSIT_TOKEN_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("Token for it; read at each use, so that an agent can renew it."),
  VAULT_NAMESPACE: z.string().min(1).optional(),
  FINGERPRINT_KEY_FILE: keysFile
    .optional()
    .describe("The proxies' fingerprint keys, so that a card that was missed is found by its number, too."),
});

const transit = ["VAULT_TRANSIT_URL", "VAULT_TRANSIT_KEY", "VAULT_TRANSIT_TOKEN_FILE"] as const;

/** These need each other; what is missing is said along with everything else that is wrong. */
export const maskingConfig = transit
  .reduce(
    (schema, name) =>
      schema.refine(
        (given) => given[name] !== undefined || transit.every((other) => given[other] === undefined),
        {
          path: [name],
          message: `is not set: keys in HashiCorp Vault need ${transit.join(", ")} together`,
          when: () => true,
        },
      ),
    variables,
  )
  .refine(
    (given) => given.VAULT_KEYS_FILE !== undefined || transit.some((name) => given[name] !== undefined),
    {
      path: ["VAULT_KEYS_FILE"],
      message: `is not set: give the file of the vault's keys, or ${transit.join(", ")} for keys in HashiCorp Vault`,
      when: () => true,
    },
  );
export type MaskingConfig = z.infer<typeof maskingConfig>;

/** The token for Vault as it is now. Errors: VaultFailed. */
export function transitToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new VaultFailed(
      "vault_token_missing",
      "The file that VAULT_TRANSIT_TOKEN_FILE names cannot be read: put Vault's token there.",
      { cause },
    );
  }
}

/** What countersign.yaml may refer to in its `${...}`. */
export const configurationEnvironment = (): NodeJS.ProcessEnv => process.env;
