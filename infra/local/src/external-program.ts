import { fork } from "node:child_process";
import { extname, dirname, join } from "node:path";
import { LaunchError } from "./launch-error.js";
import { withLog } from "./log-file.js";
import { followChild, type RunningProgram } from "./running-program.js";
import type { SupervisedProgram, SupervisorMessage } from "./supervisor.js";

export interface ExternalProgram extends Omit<SupervisedProgram, "stopTimeoutMs" | "cwd"> {
  readonly name: string;
  readonly logFile: string;
}

const stopTimeoutMs = 15_000;
/** The supervisor enforces the program's own time limit; this much later the launcher stops trusting it to. */
const supervisorGraceMs = 2_000;

const supervisorFile = join(import.meta.dirname, `supervisor${extname(import.meta.filename)}`);

/** Starts a program that is not ours. It ends when this process ends, however that ends. */
export async function startProgram(program: ExternalProgram): Promise<RunningProgram> {
  const { name, logFile, ...supervised } = program;
  const supervisor = withLog(logFile, (log) =>
    fork(supervisorFile, {
      // A group of its own: Ctrl-C in a terminal reaches the launcher alone, which then stops everything in order.
      detached: true,
      execArgv: [],
      stdio: ["ignore", log, log, "ipc"],
    }),
  );
  const running = followChild(supervisor, {
    name,
    logFile,
    stopTimeoutMs: stopTimeoutMs + supervisorGraceMs,
  });
  const started = new Promise<number>((resolve, reject) => {
    supervisor.once("message", (message) => {
      if (isStarted(message)) resolve(message.pid);
      else reject(new LaunchError("program_failed", `${program.command} cannot be run.`, { cause: message }));
    });
  });
  const order: SupervisedProgram = { ...supervised, stopTimeoutMs, cwd: dirname(logFile) };
  supervisor.send(order);
  const pid = await Promise.race([started, running.failure]);
  return {
    ...running,
    pid,
    kill() {
      running.expectEnd();
      // The program alone: its supervisor sees it die, collects it and ends, too.
      killProcess(pid);
    },
  };
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

const isStarted = (message: unknown): message is SupervisorMessage & { type: "started" } =>
  typeof message === "object" && message !== null && "type" in message && message.type === "started";
