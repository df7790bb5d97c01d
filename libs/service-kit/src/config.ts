import { readFileSync } from "node:fs";
import { CountersignError } from "@countersign/contracts";
import { z } from "zod";

const origin = z
  .url({ protocol: /^https?$/ })
  .refine(
    (value) => URL.canParse(value) && new URL(value).origin === value,
    "must be an origin without a path or trailing slash",
  );

/** What every service is told by its environment. An app's `config.ts` extends it and is the one to read it. */
export const serviceConfig = z.object({
  HOST: z.string().default("127.0.0.1"),
  PORT: z.coerce.number().int().min(1).max(65535),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "silent"]).default("info"),
  KAFKA_BROKERS: z
    .string()
    .min(1)
    .transform((value) => value.split(",")),
  GATEWAY_URL: origin.describe("Public origin of the proxy."),
  ISSUER_URL: origin.describe("Public origin of identity, the authorization server."),
  JWKS_URL: z.url().optional().describe("Where to fetch the issuer's keys, if not at ISSUER_URL/jwks."),
});
export type ServiceConfig = z.infer<typeof serviceConfig>;

/** What a service with tables of its own is told besides. */
export const postgresConfig = z.object({
  DATABASE_URL: z.url().describe("PostgreSQL, as the service's own role."),
});
export type PostgresConfig = z.infer<typeof postgresConfig>;

export class ConfigInvalid extends CountersignError {
  constructor(service: string, problems: readonly string[]) {
    super(
      "config_invalid",
      `${service} cannot start; set these environment variables and start it again:\n${problems.map((p) => `  ${p}`).join("\n")}`,
    );
  }
}

/**
 * Reads the environment by the schema; every problem is named at once, no value is ever shown. A variable may also be
 * given as the name of a file that holds its value, `<NAME>_FILE`, so that a secret need not be in the environment.
 */
export function parseConfig<S extends z.ZodType>(
  service: string,
  schema: S,
  env: NodeJS.ProcessEnv,
): z.infer<S> {
  const problems: string[] = [];
  const given: NodeJS.ProcessEnv = { ...env, ...valuesFromFiles(schema, env, problems) };
  const result = schema.safeParse(given);
  if (result.success && problems.length === 0) return result.data;
  const issues = result.error?.issues ?? [];
  throw new ConfigInvalid(service, [
    ...problems,
    ...issues.map(({ path, message }) => {
      const name = path.join(".");
      return `${name}: ${given[name] === undefined ? notSet(schema, name) : message}`;
    }),
  ]);
}

function valuesFromFiles(schema: z.ZodType, env: NodeJS.ProcessEnv, problems: string[]): NodeJS.ProcessEnv {
  const values: NodeJS.ProcessEnv = {};
  for (const name of Object.keys(shapeOf(schema))) {
    const file = env[`${name}_FILE`];
    if (file === undefined || env[name] !== undefined || `${name}_FILE` in shapeOf(schema)) continue;
    try {
      values[name] = readFileSync(file, "utf8").trim();
    } catch {
      problems.push(`${name}_FILE: the file cannot be read`);
    }
  }
  return values;
}

const notSet = (schema: z.ZodType, name: string): string => {
  const { description } = (shapeOf(schema)[name] as z.ZodType | undefined) ?? {};
  return description === undefined ? "is not set." : `is not set. ${description}`;
};

const shapeOf = (schema: z.ZodType): Readonly<Record<string, unknown>> =>
  schema instanceof z.ZodObject ? schema.shape : {};
