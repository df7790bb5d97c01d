import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterAll, describe, expect, inject, it } from "vitest";
import { ensureDatabase } from "./database.js";

const name = `setup_${randomUUID().slice(0, 8)}`;

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

describe("the database", () => {
  afterAll(async () => {
    await query(inject("adminDatabaseUrl"), `DROP DATABASE IF EXISTS "${name}"`);
  });

  it("is made once, however many ask for it at the same time", async () => {
    const urls = await Promise.all(
      Array.from({ length: 4 }, () => ensureDatabase(inject("adminDatabaseUrl"), name)),
    );
    expect(new Set(urls).size).toBe(1);
    expect(await query(urls[0] ?? "", "SELECT current_database() AS name")).toEqual([{ name }]);
  });

  it("is closed to a role that was not let in", async () => {
    const url = await ensureDatabase(inject("adminDatabaseUrl"), name);
    const role = `${name}_stranger`;
    await query(url, `CREATE ROLE "${role}" LOGIN PASSWORD 'x'`);
    const stranger = new URL(url);
    stranger.username = role;
    stranger.password = "x";
    await expect(query(stranger.toString(), "SELECT 1")).rejects.toMatchObject({ code: "42501" });
    await query(url, `DROP ROLE "${role}"`);
  });
});
