import { CountersignError } from "@countersign/contracts";
import pc from "picocolors";
import { killEverything, stopEverything } from "./running-program.js";
import { startSuite, type Suite, type SuiteOptions } from "./suite.js";

export interface LauncherOptions extends SuiteOptions {
  /** Ctrl-C is how this run is meant to end, so it ends with exit code 0. */
  readonly endsByInterrupt?: boolean;
}

const print = (line: string) => process.stdout.write(`${line}\n`);
const printError = (line: string) => process.stderr.write(`${line}\n`);

/** npm repeats a terminal's Ctrl-C to the program it runs; a person's second one comes later. */
const repeatedSignalMs = 1_000;

const signalExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Runs the suite for a person at a terminal: starts it, lets `work` use it, and stops it when `work` is over, on
 * Ctrl-C, on SIGTERM and on any error. Then it ends this process: with 0 only if nothing failed.
 */
export async function runLauncher(
  options: LauncherOptions,
  work: (suite: Suite, interrupted: Promise<void>) => Promise<void>,
): Promise<never> {
  const aborted = new AbortController();
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<void>();
  let ended: Promise<never> | undefined;
  let up = false;
  let signalledAt = -Infinity;

  const stopAndExit = async (exitCode: number): Promise<never> => {
    interrupt();
    aborted.abort();
    if (!up) await stopEverything();
    await starting.then(
      (suite) => suite.stop(),
      () => undefined,
    );
    process.exit(exitCode);
  };
  const end = (exitCode: number): Promise<never> => (ended ??= stopAndExit(exitCode));
  const crash = (error: unknown): Promise<never> => {
    if (!ended) printError(describe(error));
    return end(1);
  };

  for (const [signal, exitCode] of Object.entries(signalExitCodes)) {
    process.on(signal, () => {
      const isRepeated = performance.now() - signalledAt < repeatedSignalMs;
      signalledAt = performance.now();
      if (ended) {
        if (isRepeated) return;
        killEverything();
        process.exit(exitCode);
      }
      print(pc.dim("Stopping. Once more stops without waiting."));
      void end(up && options.endsByInterrupt ? 0 : exitCode);
    });
  }
  process.on("uncaughtException", (error) => void crash(error));
  process.on("unhandledRejection", (error) => void crash(error));

  printOtherWarnings();

  const starting = startSuite({ onProgress: print, signal: aborted.signal, ...options });
  try {
    const suite = await starting;
    up = true;
    await Promise.race([work(suite, interrupted), suite.failure]);
    return await end(0);
  } catch (error) {
    return crash(error);
  }
}

/** kafkajs sets timers for a moment in the past; Node corrects them and warns, which tells a reader nothing. */
function printOtherWarnings(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "TimeoutNegativeWarning") printError(warning.stack ?? warning.message);
  });
}

/** Errors that we raise on purpose say what to do; anything else is a fault, and its origin helps to find it. */
export function describe(error: unknown): string {
  if (error instanceof CountersignError) {
    const cause = error.cause instanceof Error ? `\n  Cause: ${error.cause.message.trim()}` : "";
    return pc.red(error.message) + pc.dim(cause);
  }
  return pc.red(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
