import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { generators, shares } from "./secrets.js";

/**
 * Makes the secrets that are missing in `kept` and lays into each reader's folder under `shared` what is its own.
 * A secret that is there stays as it is, so that one may be brought, and rotated by replacing its file and running this
 * again. Answers the names of the secrets that were made.
 */
export function shareSecrets(kept: string, shared: string, asRoot: boolean): string[] {
  const made: string[] = [];
  mkdirSync(kept, { recursive: true, mode: 0o700 });
  for (const [name, generate] of Object.entries(generators)) {
    const file = join(kept, name);
    if (existsSync(file)) continue;
    writeFile(file, generate());
    made.push(name);
  }
  for (const [reader, { files, uid }] of Object.entries(shares)) {
    const folder = join(shared, reader);
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
    for (const [name, secret] of Object.entries(files)) {
      const file = join(folder, name);
      writeFile(file, readFileSync(join(kept, secret), "utf8"));
      if (asRoot) chownSync(file, uid, uid);
    }
    if (asRoot) chownSync(folder, uid, uid);
  }
  return made;
}

/** Whole or not at all, and never readable by others, not even for a moment. */
function writeFile(file: string, text: string): void {
  const incoming = `${file}.incoming`;
  writeFileSync(incoming, text, { mode: 0o600 });
  renameSync(incoming, file);
}
