import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { ensureDatabase } from "./database.js";

const name = "payments";

/** Makes the database of the demonstration's payments server and the role that owns it. Answers that role's URL. */
export async function ensurePaymentsDatabase(adminUrl: string, password: string): Promise<string> {
  const url = new URL(await ensureDatabase(adminUrl, name));
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const { rowCount } = await admin.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
    if (rowCount === 0) await admin.query(`CREATE ROLE ${escapeIdentifier(name)}`);
    await admin.query(`ALTER ROLE ${escapeIdentifier(name)} LOGIN PASSWORD ${escapeLiteral(password)}`);
    // Granting membership first lets an administrator who is no superuser hand the database over.
    await admin.query(`GRANT ${escapeIdentifier(name)} TO CURRENT_USER`);
    await admin.query(`ALTER DATABASE ${escapeIdentifier(name)} OWNER TO ${escapeIdentifier(name)}`);
  } finally {
    await admin.end();
  }
  url.username = name;
  url.password = encodeURIComponent(password);
  return url.toString();
}
