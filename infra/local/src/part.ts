import { LaunchError } from "./launch-error.js";
import type { PartName } from "./plan.js";
import { silent, type OnProgress, step } from "./progress.js";
import type { RunningProgram } from "./running-program.js";

export interface PartDefinition {
  readonly name: PartName;
  readonly logFile: string;
  readonly start: (onProgress: OnProgress) => Promise<RunningProgram>;
  /** Called when the part ends although nobody asked it to. */
  readonly onFailure: (error: unknown) => void;
}

/** One program of the suite, which can be stopped, killed and started again on the same data and port. */
export class Part {
  readonly name: PartName;
  readonly logFile: string;
  readonly #definition: PartDefinition;
  #running: RunningProgram | undefined;

  constructor(definition: PartDefinition) {
    this.#definition = definition;
    this.name = definition.name;
    this.logFile = definition.logFile;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get pid(): number {
    if (!this.#running) throw new LaunchError("not_running", `${this.name} is not running; start it first.`);
    return this.#running.pid;
  }

  /** Resolves when it is ready. A part that runs already is left alone. */
  async start(onProgress: OnProgress = silent): Promise<void> {
    if (this.#running) return;
    const running = await this.#definition.start(onProgress);
    this.#running = running;
    running.failure.catch((error: unknown) => {
      if (this.#running !== running) return;
      this.#running = undefined;
      this.#definition.onFailure(error);
    });
  }

  /** Asks it to end in good order and waits until it has. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  /** Ends it as a crash would, and waits until it is gone. */
  async kill9(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.kill();
    await running?.failure.catch(() => undefined);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}

/** Starts parts beside each other; when one cannot start, the others' starts are waited for, then the error is thrown. */
export async function startTogether(parts: readonly Part[], onProgress: OnProgress): Promise<void> {
  const outcomes = await Promise.allSettled(parts.map((part) => part.start(onProgress)));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** A part that runs one of our own programs reports its start as a step. */
export const reported =
  (label: string, start: () => Promise<RunningProgram>) =>
  (onProgress: OnProgress): Promise<RunningProgram> =>
    step(onProgress, label, start);
