/**
 * Runs one external program (Java, PostgreSQL) and ends it when the launcher ends, however the launcher ends: the
 * channel between them closes even after a `kill -9`. Started as a process of its own; it imports nothing from
 * this package, so that Node can run it from its source as well as built.
 */
import { spawn } from "node:child_process";

export interface SupervisedProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
}

export type SupervisorMessage =
  | { readonly type: "started"; readonly pid: number }
  | { readonly type: "failed"; readonly reason: string };

function supervise(program: SupervisedProgram): void {
  const child = spawn(program.command, program.args, {
    cwd: program.cwd,
    env: program.env,
    stdio: ["ignore", "inherit", "inherit"],
  });

  const tell = (message: SupervisorMessage) => {
    if (process.connected) process.send?.(message, () => undefined);
  };
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    child.kill(program.stopSignal);
    setTimeout(() => child.kill("SIGKILL"), program.stopTimeoutMs).unref();
  };

  child.once("spawn", () => tell({ type: "started", pid: child.pid ?? 0 }));
  child.once("error", (error) => {
    tell({ type: "failed", reason: error.message });
    process.exitCode = 127;
    if (process.connected) process.disconnect();
  });
  child.once("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 128));

  process.on("disconnect", stop);
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

const isProgram = (message: unknown): message is SupervisedProgram =>
  typeof message === "object" && message !== null && "command" in message && "args" in message;

process.once("message", (message) => {
  if (!isProgram(message)) throw new TypeError("the first message must name the program to run");
  supervise(message);
});
