import { randomUUID } from "node:crypto";
import pg from "pg";
import type { MigrationInterface, QueryRunner } from "typeorm";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { asRole, ownerRole, prepareSchema, runtimeRole, type ServiceSchema } from "./schema.js";

const name = `kit_${randomUUID().slice(0, 8)}`;

class MakeNotes1700000000000 implements MigrationInterface {
  name = "MakeNotes1700000000000";
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "${name}".notes (text text)`);
    await runner.query(`GRANT SELECT, INSERT ON "${name}".notes TO "${runtimeRole(name)}"`);
  }
  async down(): Promise<void> {}
}

const schema: ServiceSchema = { schema: name, migrations: [MakeNotes1700000000000] };

async function as<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

describe("a service's schema", () => {
  const adminUrl = inject("adminDatabaseUrl");
  let url: string;
  beforeAll(async () => {
    url = await prepareSchema({ adminUrl, schema, password: "first" });
  });
  afterAll(() =>
    as(adminUrl, async (admin) => {
      await admin.query(`DROP SCHEMA "${name}" CASCADE`);
      for (const role of [ownerRole(name), runtimeRole(name)]) {
        await admin.query(`DROP OWNED BY "${role}"`);
        await admin.query(`DROP ROLE "${role}"`);
      }
    }),
  );

  it.each([
    ["change what was granted for insert alone", "UPDATE notes SET text = ''"],
    ["delete", "DELETE FROM notes"],
    ["truncate", "TRUNCATE notes"],
    ["drop a table", "DROP TABLE notes"],
    ["make a table", "CREATE TABLE others (text text)"],
    ["become the owner", `SET ROLE "${ownerRole(name)}"`],
  ])("gives the service no right to %s", async (_, statement) => {
    await as(url, async (client) => {
      await client.query(`SET search_path TO "${name}"`);
      await expect(client.query(statement)).rejects.toMatchObject({ code: "42501" });
    });
  });

  it("lets nobody log in as the owner", async () => {
    await expect(
      as(asRole(adminUrl, ownerRole(name), "first"), async () => undefined),
    ).rejects.toBeInstanceOf(pg.DatabaseError);
  });

  it("lets the service do what its migrations grant it", async () => {
    const rows = await as(url, async (client) => {
      await client.query(`INSERT INTO "${name}".notes VALUES ('a')`);
      return client.query(`SELECT text FROM "${name}".notes`);
    });
    expect(rows.rows).toEqual([{ text: "a" }]);
  });

  it("may be prepared again, and several times at once", async () => {
    const urls = await Promise.all(
      Array.from({ length: 4 }, () => prepareSchema({ adminUrl, schema, password: "second" })),
    );
    await as(urls[0] ?? "", (client) => client.query(`SELECT FROM "${name}".notes`));
    await expect(as(url, async () => undefined)).rejects.toMatchObject({ code: "28P01" });
    const tables = await as(adminUrl, (admin) =>
      admin.query("SELECT tableowner FROM pg_tables WHERE schemaname = $1", [name]),
    );
    expect(new Set(tables.rows.map((row: { tableowner: string }) => row.tableowner))).toEqual(
      new Set([ownerRole(name)]),
    );
  });
});
