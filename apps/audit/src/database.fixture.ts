import { randomUUID } from "node:crypto";
import { prepareSchema } from "@countersign/service-kit";
import { Client } from "pg";
import { DataSource } from "typeorm";
import { auditSchema } from "./index.js";

export interface TestDatabase {
  readonly adminUrl: string;
  readonly url: string;
  readonly dataSource: DataSource;
  drop(): Promise<void>;
}

/** A database of its own with the audit schema, and a pool as the service's runtime role. */
export async function createDatabase(adminUrl: string): Promise<TestDatabase> {
  const name = `audit_${randomUUID().replaceAll("-", "")}`;
  await asAdmin(adminUrl, `CREATE DATABASE ${name}`);
  const own = new URL(adminUrl);
  own.pathname = name;
  const url = await prepareSchema({ adminUrl: own.toString(), schema: auditSchema, password: "test" });
  const dataSource = new DataSource({ type: "postgres", url, schema: "audit", installExtensions: false });
  await dataSource.initialize();
  return {
    adminUrl: own.toString(),
    url,
    dataSource,
    drop: async () => {
      await dataSource.destroy();
      await asAdmin(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function asAdmin(adminUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
