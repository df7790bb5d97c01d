import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** What SIGTERM is given before SIGKILL. */
export const graceMs = 2_000;
const killMs = 1_000;
const pollMs = 25;

/** The variable by which every process of a server is known, also one that left its process group. */
export const markName = "COUNTERSIGN_PROCESS";

/**
 * Ends a process group, politely and then not: resolves when nothing of it runs. On Linux, processes that left the
 * group are found by the mark in their environment and killed too.
 */
export async function endProcessGroup(group: number, mark: string): Promise<void> {
  signalGroup(group, "SIGTERM");
  if (!(await gone(group, graceMs))) {
    signalGroup(group, "SIGKILL");
    await gone(group, killMs);
  }
  for (const pid of await processesMarked(mark)) signal(pid, "SIGKILL");
}

/** Processes of this user whose environment holds the mark; none where there is no `/proc`. */
export async function processesMarked(mark: string): Promise<number[]> {
  const names = await readdir("/proc").catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.split("\0").includes(`${markName}=${mark}`) ? [pid] : [];
    }),
  );
  return marked.flat();
}

async function gone(group: number, msMax: number): Promise<boolean> {
  const deadline = performance.now() + msMax;
  while (signalGroup(group, 0)) {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

const signalGroup = (group: number, name: NodeJS.Signals | 0): boolean => signal(-group, name);

/** Whether there was somebody to hear it. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  // Minus one would be every process there is, and zero the gateway's own group.
  if (!Number.isSafeInteger(pid) || Math.abs(pid) <= 1)
    throw new RangeError("not the id of a server's process");
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
