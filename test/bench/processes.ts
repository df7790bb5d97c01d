import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Starts a program and waits for its first sign of readiness. */
export async function startProgram(
  command: string,
  args: readonly string[],
  ready: (output: string) => boolean | Promise<boolean>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env, detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part: Buffer) => (output += part.toString()));
  const deadline = Date.now() + 60_000;
  while (!(await ready(output))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      stopProgram(child);
      throw new Error(`${command} ${args.join(" ")} did not start:\n${output.slice(-2_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return child;
}

export function stopProgram(child: ChildProcess): void {
  try {
    process.kill(-(child.pid ?? 0), "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"]).toString());

/** A process and all its descendants. */
function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statOf(Number(name));
    if (fields) parents.set(Number(name), Number(fields[1]));
  }
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}

/** The fields of /proc/PID/stat after the name: state, parent, … */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
  } catch {
    return undefined;
  }
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly memoryMiB: number;
}

/** CPU time so far and resident memory now, of processes with all their descendants. */
export function usageOf(pids: readonly number[]): Usage {
  let ticks = 0;
  let kib = 0;
  for (const pid of new Set(pids.flatMap(treeOf))) {
    const fields = statOf(pid);
    if (!fields) continue;
    ticks += Number(fields[11]) + Number(fields[12]);
    kib += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  }
  return { cpuSeconds: ticks / ticksPerSecond, memoryMiB: kib / 1_024 };
}
