import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** The content of a secret's file, readable by its owner alone; made by `generate` where there is none yet. */
export async function secretFile(file: string, generate: () => string | Promise<string>): Promise<string> {
  const existing = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (existing !== undefined) return existing;
  const secret = await generate();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Renamed into place, so that an interrupted first start never leaves half a key behind.
  const incoming = `${file}.incoming`;
  await rm(incoming, { force: true });
  await writeFile(incoming, secret, { mode: 0o600, flag: "wx" });
  await rename(incoming, file);
  return secret;
}
