import pc from "picocolors";

/** Receives one line for each finished step. */
export type OnProgress = (line: string) => void;

export const silent: OnProgress = () => undefined;

/** Runs one step of the start and reports it with its duration; a failed step is reported too, then thrown. */
export async function step<T>(onProgress: OnProgress, name: string, run: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  try {
    const result = await run();
    onProgress(`${pc.green("✓")} ${name} ${pc.dim(seconds())}`);
    return result;
  } catch (error) {
    onProgress(`${pc.red("✗")} ${name} ${pc.dim(seconds())}`);
    throw error;
  }
}
