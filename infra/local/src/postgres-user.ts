import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export type CommandLine = readonly [command: string, ...args: string[]];

/** Picks the machine's `postgres` user, or `nobody` where there is none, out of `/etc/passwd`. */
export function unprivilegedUser(passwd: string): SystemUser | undefined {
  const entries = passwd.split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const entry = entries.find(([login]) => login === name);
    if (entry) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  return undefined;
}

/** PostgreSQL refuses to run as root, so root hands over to another user. Undefined: this user is fine. */
export async function postgresUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return unprivilegedUser(await readFile("/etc/passwd", "utf8"));
}

/**
 * Runs a command as that user. A checkout or a temporary folder of root's is often closed to other users; the
 * command then keeps the one capability that lets it pass through, and nothing else of root's.
 */
export function asUser(
  command: CommandLine,
  user: SystemUser | undefined,
  passClosedFolders: boolean,
): CommandLine {
  if (user === undefined) return command;
  const capability = passClosedFolders ? ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"] : [];
  return [
    "setpriv",
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    "--clear-groups",
    ...capability,
    "--",
    ...command,
  ];
}

/** Whether some folder on the way to one of these paths lets only its owner or group through. */
export async function isBehindClosedFolder(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
      const mode = await stat(folder).then(
        (found) => found.mode,
        () => undefined,
      );
      if (mode !== undefined && (mode & 0o001) === 0) return true;
      if (folder === dirname(folder)) break;
    }
  }
  return false;
}
