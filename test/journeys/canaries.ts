import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";

/** A text that must not be found, under a name that may be printed. */
export type Canaries = Readonly<Record<string, string | RegExp>>;

/** Which canaries stand in a text or in bytes; bytes are read as Latin-1, in which every byte is one character. */
export function found(canaries: Canaries, content: Buffer | string): string[] {
  const text = typeof content === "string" ? content : content.toString("latin1");
  return Object.entries(canaries)
    .filter(([, canary]) => (typeof canary === "string" ? text.includes(canary) : canary.test(text)))
    .map(([name]) => name);
}

/** Every file below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

export const readBytes = (path: string): Buffer => readFileSync(path);

/** Every row of every table of a database as text: what a dump holds. */
export async function dumpOf(databaseUrl: string): Promise<{ table: string; text: string }[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const dump = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      dump.push({ table: name, text: rows.map(({ row }) => row).join("\n") });
    }
    return dump;
  } finally {
    await client.end();
  }
}
