import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { prepareSchema, type ServiceSchema } from "../postgres/schema.js";

/** A database of a spec's own, with the tables of one service in it. */
export interface TestDatabase {
  readonly name: string;
  /** What the service connects with. */
  readonly url: string;
  readonly adminUrl: string;
  /** The rows of a statement, as a superuser sees them. */
  query<T extends object>(text: string, values?: unknown[]): Promise<T[]>;
  /** The same with another role of this server. */
  queryAs<T extends object>(url: string, text: string): Promise<T[]>;
  drop(): Promise<void>;
}

/** `serverUrl` is a superuser's connection string. */
export async function createDatabase(serverUrl: string, schema: ServiceSchema): Promise<TestDatabase> {
  const name = `${schema.schema}_${randomUUID().slice(0, 8)}`;
  const adminUrl = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const url = await connected(serverUrl, async (server) => {
    // Roles belong to the server, so the specs that make them at the same time take turns, whatever their database.
    await server.query("SELECT pg_advisory_lock(hashtext('specs'))");
    await server.query(`CREATE DATABASE ${name}`);
    return prepareSchema({ adminUrl, schema, password: "spec" });
  });
  const queryAs = <T extends object>(as: string, text: string, values: unknown[] = []): Promise<T[]> =>
    connected(as, async (client) => (await client.query<T>(text, values)).rows);
  return {
    name,
    url,
    adminUrl,
    query: (text, values) => queryAs(adminUrl, text, values),
    queryAs,
    drop: async () => void (await queryAs(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)),
  };
}

async function connected<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
