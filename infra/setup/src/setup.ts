import { randomBytes } from "node:crypto";
import { prepareSchema } from "@countersign/service-kit";
import { ensureDatabase } from "./database.js";
import { schemas, servicesWithTables, type ServiceWithTables } from "./schemas.js";
import { ensureTopics } from "./topics.js";

export interface SetupOptions {
  /** `host:port`, or several of them separated by commas. */
  readonly kafkaBrokers: string;
  /** A connection string of a role that may create databases and roles. */
  readonly adminDatabaseUrl: string;
  /** The password of a service's role; a new random one at each run unless given. */
  readonly passwordOf?: (service: ServiceWithTables) => string | Promise<string>;
  /** Receives one line for each finished step. */
  readonly onProgress?: (line: string) => void;
}

export interface SetupOutcome {
  /** What each service connects with: its own role, in its own schema. */
  readonly databaseUrls: Readonly<Record<ServiceWithTables, string>>;
}

/** Makes topics, database, roles and tables as every service expects to find them. May run any number of times. */
export async function setup(options: SetupOptions): Promise<SetupOutcome> {
  const { kafkaBrokers, adminDatabaseUrl, passwordOf = randomPassword, onProgress } = options;

  const { brokers, created, altered } = await ensureTopics(kafkaBrokers);
  onProgress?.(`Kafka topics: ${created.length} created, ${altered.length} altered`);
  if (brokers < 3) {
    onProgress?.(
      `Kafka has ${brokers} of the 3 brokers that evidence asks for: a lost disk loses records. Use this for trials alone.`,
    );
  }

  const adminUrl = await ensureDatabase(adminDatabaseUrl);
  const databaseUrls = new Map<ServiceWithTables, string>();
  for (const service of servicesWithTables) {
    const password = await passwordOf(service);
    databaseUrls.set(service, await prepareSchema({ adminUrl, schema: schemas[service], password }));
  }
  onProgress?.(`PostgreSQL schemas: ${servicesWithTables.join(", ")}`);
  return { databaseUrls: Object.fromEntries(databaseUrls) as Record<ServiceWithTables, string> };
}

const randomPassword = (): string => randomBytes(24).toString("base64url");
