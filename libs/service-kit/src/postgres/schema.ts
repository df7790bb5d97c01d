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
 * the service itself connects with; `password` is the runtime role's. Nobody logs in as the owner: a service whose
 * password was stolen could otherwise take its own triggers away. An administrator becomes it by `SET ROLE`.
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
    // Held until this connection ends: two set-ups at once would both run the same migrations.
    await admin.query("SELECT pg_advisory_lock(hashtext('countersign setup'))");
    await makeRole(admin, owner, "NOLOGIN PASSWORD NULL");
    await makeRole(admin, runtime, `LOGIN PASSWORD ${admin.escapeLiteral(password)}`);
    const { rows } = await admin.query<{ name: string }>("SELECT current_database() AS name");
    const database = admin.escapeIdentifier(rows[0]?.name ?? "");
    await changeRoles(admin, `GRANT "${owner}" TO CURRENT_USER`);
    await admin.query(`GRANT CONNECT ON DATABASE ${database} TO "${runtime}"`);
    await admin.query(`CREATE SCHEMA IF NOT EXISTS "${schema.schema}" AUTHORIZATION "${owner}"`);
    await admin.query(`GRANT USAGE ON SCHEMA "${schema.schema}" TO "${runtime}"`);
    await migrate(adminUrl, schema, owner);
  } finally {
    await admin.end();
  }
  return asRole(adminUrl, runtime, password);
}

async function makeRole(admin: pg.Client, role: string, attributes: string): Promise<void> {
  const { rowCount } = await admin.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [role]);
  await changeRoles(admin, `${rowCount ? "ALTER" : "CREATE"} ROLE "${role}" ${attributes}`).catch(
    async (error: unknown) => {
      if (!hasCode(error, duplicateObject, uniqueViolation)) throw error;
      await changeRoles(admin, `ALTER ROLE "${role}" ${attributes}`);
    },
  );
}

const duplicateObject = "42710";
const uniqueViolation = "23505";
const tupleConcurrentlyUpdated = "XX000";
const roleAttemptsMax = 10;

/** Roles belong to the whole server, which the advisory lock of one database does not guard; so a lost race is run again. */
async function changeRoles(admin: pg.Client, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.query(statement);
      return;
    } catch (error) {
      if (attempt === roleAttemptsMax || !hasCode(error, tupleConcurrentlyUpdated)) throw error;
    }
  }
}

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof pg.DatabaseError && codes.includes(error.code ?? "");

async function migrate(adminUrl: string, schema: ServiceSchema, owner: string): Promise<void> {
  const dataSource = new DataSource({
    type: "postgres",
    url: adminUrl,
    extra: { max: 1, options: `-c role=${owner}` },
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
}

/** The same server and database as another role. */
export function asRole(url: string, role: string, password: string): string {
  const as = new URL(url);
  as.username = encodeURIComponent(role);
  as.password = encodeURIComponent(password);
  return as.toString();
}
