import pg from "pg";
import { DataSource, type MigrationInterface } from "typeorm";

export type Migration = new () => MigrationInterface;

/** The tables of one service: a schema, its migrations, and nobody else's. */
export interface ServiceSchema {
  readonly schema: string;
  readonly migrations: readonly Migration[];
}

/** The role a service runs as. It may do what its migrations grant it, and never DDL. */
export const runtimeRole = (schema: string): string => `countersign_${schema}`;
/** The role that owns the tables and runs the migrations. */
export const ownerRole = (schema: string): string => `countersign_${schema}_owner`;

/** Offsets of durable subscriptions; part of the first migration of a service that has some. */
export const consumerOffsetsTable = (schema: string): string => `
  CREATE TABLE "${schema}".consumer_offsets (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint,
    PRIMARY KEY (consumer_group, topic, partition)
  );
  GRANT SELECT, INSERT, UPDATE ON "${schema}".consumer_offsets TO "${runtimeRole(schema)}";`;

/** Events that wait for Kafka; part of the first migration of a service that decides in PostgreSQL. */
export const outboxTable = (schema: string): string => `
  CREATE TABLE "${schema}".outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    event json NOT NULL
  );
  GRANT SELECT, INSERT, DELETE ON "${schema}".outbox TO "${runtimeRole(schema)}";`;

/**
 * Makes a service's roles and schema where they are missing and runs its migrations as the owner. Answers the URL that
 * the service itself connects with. `password` becomes the password of both roles.
 */
export async function prepareSchema(options: {
  readonly adminUrl: string;
  readonly schema: ServiceSchema;
  readonly password: string;
}): Promise<string> {
  const { adminUrl, schema, password } = options;
  const owner = ownerRole(schema.schema);
  const runtime = runtimeRole(schema.schema);
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    // Two set-ups at once would otherwise both find the role missing.
    await admin.query("SELECT pg_advisory_lock(hashtext('countersign setup'))");
    for (const role of [owner, runtime]) {
      const { rowCount } = await admin.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [role]);
      const verb = rowCount ? "ALTER" : "CREATE";
      await admin.query(`${verb} ROLE "${role}" LOGIN PASSWORD ${admin.escapeLiteral(password)}`);
    }
    await admin.query(`GRANT "${owner}" TO CURRENT_USER`);
    await admin.query(`CREATE SCHEMA IF NOT EXISTS "${schema.schema}" AUTHORIZATION "${owner}"`);
    await admin.query(`GRANT USAGE ON SCHEMA "${schema.schema}" TO "${runtime}"`);
  } finally {
    await admin.end();
  }
  const dataSource = new DataSource({
    type: "postgres",
    url: asRole(adminUrl, owner, password),
    schema: schema.schema,
    migrations: [...schema.migrations],
    migrationsTableName: "migrations",
    migrationsTransactionMode: "each",
    installExtensions: false,
  });
  await dataSource.initialize();
  try {
    await dataSource.runMigrations();
  } finally {
    await dataSource.destroy();
  }
  return asRole(adminUrl, runtime, password);
}

/** The same server and database as another role. */
export function asRole(url: string, role: string, password: string): string {
  const as = new URL(url);
  as.username = encodeURIComponent(role);
  as.password = encodeURIComponent(password);
  return as.toString();
}
