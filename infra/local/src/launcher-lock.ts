import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LaunchError } from "./launch-error.js";

export interface LauncherLock {
  /** A launcher before this one ended without tidying up; its programs may still be ending. */
  readonly previousDied: boolean;
  release(): void;
}

/** Claims a data folder for this process. Two launchers on one folder would destroy each other's data. */
export function lockDataDir(dataDir: string): LauncherLock {
  const file = join(dataDir, "launcher.pid");
  mkdirSync(dataDir, { recursive: true });
  const release = () => rmSync(file, { force: true });
  if (claim(file)) return { previousDied: false, release };

  const owner = readOwner(file);
  if (owner && isRunning(owner)) {
    throw new LaunchError(
      "already_running",
      `Countersign is already running on ${dataDir} (process ${owner.pid}). ` +
        "Stop it with Ctrl-C where it was started, or give this one COUNTERSIGN_DATA_DIR and COUNTERSIGN_PORT_BASE.",
    );
  }
  release();
  if (!claim(file)) {
    throw new LaunchError(
      "already_running",
      `Another start on ${dataDir} was quicker by a moment. Wait for it, or stop it.`,
    );
  }
  return { previousDied: true, release };
}

interface Owner {
  readonly pid: number;
  /** Tells the process apart from a later one with the same id, where the system says when a process began. */
  readonly startedAt: string;
}

function claim(file: string): boolean {
  try {
    const owner: Owner = { pid: process.pid, startedAt: startOf(process.pid) };
    writeFileSync(file, `${owner.pid} ${owner.startedAt}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function readOwner(file: string): Owner | undefined {
  try {
    const [pid, startedAt = ""] = readFileSync(file, "utf8").trim().split(" ");
    return Number(pid) > 0 ? { pid: Number(pid), startedAt } : undefined;
  } catch {
    return undefined;
  }
}

function isRunning({ pid, startedAt }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of another user's exists, too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return startOf(pid) === startedAt;
}

/** Clock ticks from boot to the start of a process: field 22 of proc_pid_stat(5), counted after the name's bracket. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
