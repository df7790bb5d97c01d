import { type ChildProcess, fork } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { LaunchError } from "./launch-error.js";
import { quoteLog } from "./log-tail.js";
import type { SupervisedProgram, SupervisorMessage } from "./supervisor.js";

export interface ExternalProgram extends Omit<SupervisedProgram, "stopTimeoutMs" | "cwd"> {
  readonly name: string;
  readonly logFile: string;
  readonly stopTimeoutMs?: number;
}

export interface RunningProgram {
  /** The process id of the program itself, not of its supervisor. */
  readonly pid: number;
  /** Rejects when the program ends without having been asked to. */
  readonly failure: Promise<never>;
  /** Resolves when the program has ended, however it ended. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
  kill(): void;
}

const stopTimeoutMsDefault = 15_000;
/** The supervisor enforces the program's own time limit; this much later the launcher stops trusting it to. */
const supervisorGraceMs = 2_000;

/** Starts a program that ends when this process ends, and writes its output to a file. */
export async function startProgram(program: ExternalProgram): Promise<RunningProgram> {
  const stopTimeoutMs = program.stopTimeoutMs ?? stopTimeoutMsDefault;
  const supervisor = forkSupervisor(program.logFile);
  let asked = false;

  const ended = new Promise<void>((resolve) => supervisor.once("exit", () => resolve()));
  const failure = ended.then(async (): Promise<never> => {
    killGroup(supervisor);
    const how = asked ? "was stopped" : "ended unexpectedly";
    throw new LaunchError(
      "program_failed",
      `${program.name} ${how}.${await quoteLog(program.name, program.logFile)}`,
    );
  });
  // Callers may never wait for it; a program that ends is then not an error of this process.
  failure.catch(() => undefined);

  const started = new Promise<number>((resolve, reject) => {
    supervisor.once("message", (message) => {
      if (isStarted(message)) resolve(message.pid);
      else reject(new LaunchError("program_failed", `${program.command} cannot be run.`, { cause: message }));
    });
  });
  const { name: _name, logFile: _logFile, ...supervised } = program;
  supervisor.send({
    ...supervised,
    stopTimeoutMs,
    cwd: dirname(program.logFile),
  } satisfies SupervisedProgram);

  return {
    pid: await Promise.race([started, failure]),
    failure,
    ended,
    async stop() {
      asked = true;
      if (supervisor.connected) supervisor.disconnect();
      const impatient = setTimeout(() => killGroup(supervisor), stopTimeoutMs + supervisorGraceMs);
      await ended;
      clearTimeout(impatient);
    },
    kill() {
      asked = true;
      killGroup(supervisor);
    },
  };
}

const isStarted = (message: unknown): message is SupervisorMessage & { type: "started" } =>
  typeof message === "object" && message !== null && "type" in message && message.type === "started";

function forkSupervisor(logFile: string): ChildProcess {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "a");
  try {
    return fork(join(import.meta.dirname, `supervisor${extname(import.meta.filename)}`), {
      // A group of its own: Ctrl-C in a terminal reaches the launcher alone, which then stops everything in order.
      detached: true,
      execArgv: [],
      stdio: ["ignore", log, log, "ipc"],
    });
  } finally {
    closeSync(log);
  }
}

function killGroup(leader: ChildProcess): void {
  if (leader.pid === undefined) return;
  try {
    process.kill(-leader.pid, "SIGKILL");
  } catch {
    // The whole group has ended already.
  }
}
