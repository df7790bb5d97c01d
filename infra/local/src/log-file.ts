import { closeSync, mkdirSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";

/** Opens a log for a child that writes to it by itself, so that nothing is lost and nobody waits for this process. */
export function withLog<T>(file: string, start: (log: number) => T): T {
  mkdirSync(dirname(file), { recursive: true });
  const log = openSync(file, "a");
  try {
    return start(log);
  } finally {
    closeSync(log);
  }
}

/** Puts the log of the run before aside; the one before that is dropped. */
export function rotateLog(file: string): void {
  try {
    renameSync(file, `${file}.previous`);
  } catch {
    // There was no run before.
  }
}
