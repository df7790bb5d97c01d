import type { ChildProcess } from "node:child_process";
import { LaunchError } from "./launch-error.js";
import { quoteLog } from "./log-tail.js";

export interface RunningProgram {
  readonly pid: number;
  readonly logFile: string;
  /** Rejects when the program has ended, however it ended. */
  readonly failure: Promise<never>;
  /** Asks it to end, waits, and stops asking after a bounded time. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): void;
}

export interface ProgramIdentity {
  readonly name: string;
  readonly logFile: string;
  readonly stopTimeoutMs: number;
}

/** Every child of this process that has not ended yet, in the order in which they were started. */
const living = new Set<FollowedChild>();

export interface FollowedChild extends Omit<RunningProgram, "pid"> {
  /** From now on the end of the child is not a failure. */
  expectEnd(): void;
}

/** Follows a child that leads a process group of its own to its end, and ends what is left of the group then. */
export function followChild(
  child: ChildProcess,
  { name, logFile, stopTimeoutMs }: ProgramIdentity,
): FollowedChild {
  let asked = false;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const failure = ended.then(async (): Promise<never> => {
    living.delete(program);
    killGroup(child);
    if (asked) throw new LaunchError("program_failed", `${name} was stopped.`);
    throw new LaunchError("program_failed", `${name} ended unexpectedly.${await quoteLog(name, logFile)}`);
  });
  // Nobody may be waiting for it; a program that ends is then not an error of this process.
  failure.catch(() => undefined);

  const program = {
    logFile,
    failure,
    expectEnd() {
      asked = true;
    },
    async stop() {
      asked = true;
      child.kill("SIGTERM");
      const impatient = setTimeout(() => killGroup(child), stopTimeoutMs);
      await ended;
      clearTimeout(impatient);
    },
    kill() {
      asked = true;
      killGroup(child);
    },
  };
  living.add(program);
  return program;
}

/** Stops every program of this process, the last started first, within bounded time. */
export async function stopEverything(): Promise<void> {
  await Promise.all([...living].toReversed().map((program) => program.stop()));
}

/** For when even stopping is taking too long. */
export function killEverything(): void {
  for (const program of living) program.kill();
}

function killGroup(leader: ChildProcess): void {
  if (leader.pid === undefined) return;
  try {
    process.kill(-leader.pid, "SIGKILL");
  } catch {
    // The whole group has ended already.
  }
}
