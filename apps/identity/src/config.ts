import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Configuration, loadConfiguration } from "@countersign/configuration";
import { CountersignError, type SecretReference, servicePorts } from "@countersign/contracts";
import { postgresConfig, serviceConfig, trustedProxies } from "@countersign/service-kit";
import type { JWK } from "oidc-provider";
import { z } from "zod";

const originOf = z
  .url()
  .refine((value) => new URL(value).origin === value, "must be an origin without a path or trailing slash");

const cookieSecretCharactersMin = 32;

const readable = z.string().min(1).refine(isReadable, "names something that cannot be read");

export const identityConfig = serviceConfig.extend(postgresConfig.shape).extend({
  PORT: serviceConfig.shape.PORT.default(servicePorts.identity),
  COUNTERSIGN_CONFIG: z.string().min(1).describe("Path of countersign.yaml."),
  IDENTITY_KEYS_FILE: readable.describe(
    "Private JSON Web Key Set (P-256); its first key signs, all of them verify.",
  ),
  COOKIE_SECRET_FILE: readable
    .refine(
      (path) => !isReadable(path) || readFileSync(path, "utf8").trim().length >= cookieSecretCharactersMin,
      "holds too little; `openssl rand -hex 32` writes enough",
    )
    .describe("At least 32 random bytes, in any spelling."),
  TRUST_PROXY: trustedProxies
    .optional()
    .describe("Proxies whose X-Forwarded-For is believed: a number of hops, or addresses and networks."),
  REGISTRATIONS_PER_HOUR: z.coerce
    .number()
    .int()
    .positive()
    .default(60)
    .describe("Client registrations per address."),
  CLIENTS_MAX: z.coerce
    .number()
    .int()
    .positive()
    .default(20_000)
    .describe(
      "Registered clients that are kept at the same time; more have to wait until some are forgotten.",
    ),
  REQUESTS_PER_MINUTE: z.coerce
    .number()
    .int()
    .positive()
    .default(600)
    .describe("Requests per address, whatever they ask for."),
  CLIENT_METADATA_DOCUMENTS: z
    .enum(["fetch", "off"])
    .default("fetch")
    .describe("Whether a client id may be the address of a document that describes the client."),
  CLIENT_METADATA_FOLDER: readable
    .optional()
    .describe("Folder of client metadata documents (*.json) that are known beforehand and never fetched."),
  CONSOLE_URL: originOf.optional().describe("Public origin of the console, where there is one."),
});
export type IdentityConfig = z.infer<typeof identityConfig>;

/** `countersign.yaml`, whose URLs and client ids may name environment variables. Errors: ConfigurationRefused. */
export const readConfiguration = ({ COUNTERSIGN_CONFIG: path }: IdentityConfig): Promise<Configuration> =>
  loadConfiguration(path, process.env);

/** What somebody named, and this service cannot read or use. */
export class SecretUnreadable extends CountersignError {
  constructor(
    /** Goes on after the name of the setting. */
    readonly problem: string,
    readonly fix = "Make it readable to this service.",
    options?: { cause?: unknown },
  ) {
    super("secret_unreadable", `What the configuration names ${problem}. ${fix}`, options);
  }
}

const unreadable = (what: string, cause?: unknown): SecretUnreadable =>
  new SecretUnreadable(`cannot be read: ${what}`, undefined, { cause });

/** The secret that a reference of countersign.yaml points to. */
export function readSecret(reference: SecretReference, env: NodeJS.ProcessEnv = process.env): string {
  if ("file" in reference) return readSecretFile(reference.file);
  const value = env[reference.env];
  if (!value) throw unreadable(`the environment variable ${reference.env}`);
  return value;
}

export function readSecretFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw unreadable(`the file ${path}`, cause);
  }
  if (!text) throw unreadable(`the empty file ${path}`);
  return text;
}

const clientDocument = z.looseObject({
  client_id: z.url({ protocol: /^https$/ }),
  redirect_uris: z.array(z.string()),
});
export type ClientDocument = z.infer<typeof clientDocument>;

/** Descriptions of clients, as their addresses would answer with them, for where none may be fetched. */
export function readClientDocuments({ CLIENT_METADATA_FOLDER: folder }: IdentityConfig): ClientDocument[] {
  if (folder === undefined) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => {
      const path = join(folder, name);
      try {
        return clientDocument.parse(JSON.parse(readFileSync(path, "utf8")));
      } catch (cause) {
        throw unreadable(`${path} as the description of a client`, cause);
      }
    });
}

const publicKeys = z.object({
  keys: z.array(z.looseObject({ kty: z.enum(["EC", "RSA", "OKP"]), d: z.never().optional() })).min(1),
});

/** A JSON Web Key Set of public keys. */
export function readPublicKeys(path: string): { keys: JWK[] } {
  const text = readSecretFile(path);
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    read = undefined;
  }
  const parsed = publicKeys.safeParse(read);
  if (!parsed.success)
    throw new SecretUnreadable(
      "holds no set of public keys",
      "Write a JSON Web Key Set without private keys into it.",
    );
  return { keys: parsed.data.keys };
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
