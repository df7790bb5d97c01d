import { Client, escapeIdentifier, escapeLiteral } from "pg";

const name = "payments";

/** Makes the payments server's database and role where they are missing. Answers the connection string of that role. */
export async function ensurePaymentsDatabase(adminUrl: string, password: string): Promise<string> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const exists = async (query: string) => ((await admin.query(query, [name])).rowCount ?? 0) > 0;
    if (!(await exists("SELECT 1 FROM pg_roles WHERE rolname = $1"))) {
      await admin.query(`CREATE ROLE ${escapeIdentifier(name)}`);
    }
    await admin.query(`ALTER ROLE ${escapeIdentifier(name)} LOGIN PASSWORD ${escapeLiteral(password)}`);
    if (!(await exists("SELECT 1 FROM pg_database WHERE datname = $1"))) {
      await admin.query(`CREATE DATABASE ${escapeIdentifier(name)} ENCODING 'UTF8'`);
    }
    // Granting membership first lets an administrator who is no superuser hand the database over.
    await admin.query(`GRANT ${escapeIdentifier(name)} TO CURRENT_USER`);
    await admin.query(`ALTER DATABASE ${escapeIdentifier(name)} OWNER TO ${escapeIdentifier(name)}`);
    await admin.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(name)} FROM PUBLIC`);
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.username = name;
  url.password = password;
  url.pathname = `/${name}`;
  return url.href;
}
