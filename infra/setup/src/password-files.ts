import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SetupFailed } from "./setup-failed.js";

/** The password that a service's role gets, from `<service>/database-password`. */
export async function passwordFrom(folder: string, service: string): Promise<string> {
  const file = join(folder, service, "database-password");
  const password = await readFile(file, "utf8").then(
    (text) => text.trim(),
    () => "",
  );
  if (password !== "") return password;
  throw new SetupFailed(
    "password_missing",
    `Put the password for ${service}'s database role into ${file} and run setup again.`,
  );
}

/** Leaves a service its connection string in `<service>/database-url`, for its owner alone. */
export async function leaveDatabaseUrl(folder: string, service: string, url: string): Promise<void> {
  await writeFile(join(folder, service, "database-url"), url, { mode: 0o600 });
}
