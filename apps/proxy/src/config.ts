import { readFileSync } from "node:fs";
import type { SecretReference } from "@countersign/contracts";
import { CountersignError } from "@countersign/contracts";
import { keysFile, serviceConfig, trustedProxies } from "@countersign/service-kit";
import { hostname } from "node:os";
import { z } from "zod";

/** What the proxy is told by its environment. It has no database: its views are rebuilt from Kafka. */
export const proxyConfig = serviceConfig.extend({
  PROXY_ID: z
    .string()
    .regex(/^[\w.-]{1,100}$/)
    .default(hostname())
    .describe("Stable name of this replica: it closes what a former process of the same name left open."),
  FINGERPRINT_KEY_FILE: keysFile
    .transform(([current]) => current ?? z.NEVER)
    .describe(
      "Keys of fingerprints and request digests, in base64, one a line, shared by all proxies, masking and audit. The first one counts here.",
    ),
  ALLOWED_ORIGINS: z
    .string()
    .default("")
    .transform((value) => value.split(",").filter((origin) => origin !== ""))
    .describe("Browser origins that may call the gateway, separated by commas; none by default."),
  TRUST_PROXY: trustedProxies
    .optional()
    .describe("Proxies whose X-Forwarded-For is believed: a number of hops, or addresses and networks."),
  PIN_TOOLS: z
    .enum(["true", "false"])
    .default("true")
    .transform((value) => value === "true")
    .describe("Whether a tool whose definition changes is held until an administrator accepts the change."),
  STREAMS_PER_SESSION_MAX: z.coerce
    .number()
    .int()
    .positive()
    .default(32)
    .describe("Streams that one session may keep open here to listen."),
  STDIO_COMMANDS: z
    .string()
    .default("")
    .transform((value) => value.split(",").filter((command) => command !== ""))
    .describe(
      "Programs that stdio upstreams may run here, as their endpoints name them, separated by commas; none by default.",
    ),
  PATH: z.string().optional().describe("Where the programs of stdio upstreams are looked for."),
  VAULT_ADDR: z.url().optional().describe("HashiCorp Vault, for upstream secrets that are kept there."),
  VAULT_NAMESPACE: z.string().optional(),
  VAULT_TOKEN: z.string().optional(),
  VAULT_TOKEN_FILE: z
    .string()
    .optional()
    .describe(
      "Read at each use, so that an agent can renew the token; VAULT_TOKEN counts where it is not set.",
    ),
});
export type ProxyConfig = z.infer<typeof proxyConfig>;

export class SecretMissing extends CountersignError {
  constructor(where: string) {
    super("secret_missing", `A secret of an upstream is not there: set ${where} for the proxy.`);
  }
}

/** The token for Vault as it is now; undefined where there is none. */
export function vaultToken({ VAULT_TOKEN, VAULT_TOKEN_FILE }: ProxyConfig): string | undefined {
  return VAULT_TOKEN_FILE === undefined ? VAULT_TOKEN : readSecret({ file: VAULT_TOKEN_FILE });
}

/** Reads a secret where its reference points, at each use, so that a rotated file needs no restart. */
export function readSecret(reference: SecretReference): string {
  if ("env" in reference) {
    const value = process.env[reference.env];
    if (!value) throw new SecretMissing(`the environment variable ${reference.env}`);
    return value;
  }
  try {
    const value = readFileSync(reference.file, "utf8").trim();
    if (value) return value;
  } catch {
    // The error below says the same for an empty and a missing file.
  }
  throw new SecretMissing(`the file ${reference.file}`);
}
