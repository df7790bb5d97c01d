import { writeFile } from "node:fs/promises";
import { setPriority } from "node:os";

const niceness = 5;

/**
 * Lets a process give way to others that want the processor: on a small machine, whoever reads the record must not take
 * from the calls that make it. Linux shares its time among sessions first where it has autogroups, and each service
 * leads a session of its own, so the session is told as well. A machine that knows neither runs all alike.
 */
export async function giveWay(pid: number): Promise<void> {
  try {
    setPriority(pid, niceness);
    await writeFile(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // It is a courtesy: nothing but the order of work depends on it.
  }
}
