import { setTimeout as sleep } from "node:timers/promises";
import { LaunchError } from "./launch-error.js";

export interface WaitOptions {
  /** Completes "… did not …" in the error. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  /** Rejects as soon as waiting has become pointless, e.g. because the program exited. */
  readonly unless?: Promise<never>;
}

/** Polls `probe` until it answers true; a probe that throws counts as "not yet". */
export async function waitUntil(probe: () => Promise<boolean>, options: WaitOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  const settled = new AbortController();
  const poll = async () => {
    let lastError: unknown;
    while (!settled.signal.aborted && performance.now() < deadline) {
      try {
        if (await probe()) return;
      } catch (error) {
        lastError = error;
      }
      await sleep(options.intervalMs ?? 100);
    }
    if (settled.signal.aborted) return;
    throw new LaunchError(
      "timed_out",
      `${options.what} did not become ready within ${options.timeoutMs / 1000} seconds.`,
      { cause: lastError },
    );
  };
  try {
    await (options.unless ? Promise.race([poll(), options.unless]) : poll());
  } finally {
    settled.abort();
  }
}
