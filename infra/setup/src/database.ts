import { Client, escapeIdentifier } from "pg";

export const databaseName = "countersign";

/** Makes the database where it is missing and closes it to roles that were not let in. Answers its admin URL. */
export async function ensureDatabase(adminUrl: string, name = databaseName): Promise<string> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    // Held until this connection ends: two set-ups at once would both find the database missing.
    await admin.query("SELECT pg_advisory_lock(hashtext('countersign database'))");
    const { rowCount } = await admin.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
    if (rowCount === 0) {
      await admin.query(`CREATE DATABASE ${escapeIdentifier(name)} ENCODING 'UTF8' TEMPLATE template0`);
    }
    await admin.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(name)} FROM PUBLIC`);
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.toString();
}
