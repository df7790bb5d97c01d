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

/** The check digit of ISO/IEC 7812-1 for the digits before it. */
export function luhnDigitOf(payload: string): string {
  const sum = payload
    .split("")
    .toReversed()
    .map((digit, at) => Number(digit) * (at % 2 === 0 ? 2 : 1))
    .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
  return String((10 - (sum % 10)) % 10);
}

/** The ways in which bytes may hold a card number: plain, with separators, escaped, and in base64 at each of its three offsets. */
export function writingsOf(card: string): RegExp {
  const digits = card.split("");
  const inBase64 = [0, 1, 2].map((offset) => {
    const text = Buffer.from(`${"\0".repeat(offset)}${card}`).toString("base64");
    // What the signs beside the card decide is left out.
    return text.slice(offset === 0 ? 0 : 4, -4);
  });
  return new RegExp(
    [
      digits.join("[ .\\-_/]{0,2}"),
      digits.map((digit) => `%3${digit}`).join(""),
      digits.map((digit) => `&#${48 + Number(digit)};`).join(""),
      digits.map((digit) => `\\\\{1,4}u003${digit}`).join(""),
      ...inBase64.map((text) => text.replaceAll(/[+/]/g, "\\$&")),
    ].join("|"),
  );
}
