import { randomUUID } from "node:crypto";
import { prepareSchema } from "@countersign/service-kit";
import { Client } from "pg";
import { identitySchema } from "../schema.js";

/** A database of a spec's own, with the identity service's tables in it. */
export interface Database {
  /** What the service connects with. */
  readonly url: string;
  /** The rows of a query, as a superuser sees them. */
  query(text: string): Promise<unknown[]>;
  drop(): Promise<void>;
}

export async function createDatabase(serverUrl: string): Promise<Database> {
  const name = `identity_${randomUUID().slice(0, 8)}`;
  const adminUrl = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const url = await connected(serverUrl, async (server) => {
    // Roles belong to the server, so the specs that make them at the same time take turns, whatever their database.
    await server.query("SELECT pg_advisory_lock(hashtext('identity specs'))");
    await server.query(`CREATE DATABASE ${name}`);
    return prepareSchema({ adminUrl, schema: identitySchema, password: "spec" });
  });
  return {
    url,
    query: (text) => connected(adminUrl, async (client) => (await client.query(text)).rows),
    drop: () =>
      connected(serverUrl, async (server) => void (await server.query(`DROP DATABASE ${name} WITH (FORCE)`))),
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
