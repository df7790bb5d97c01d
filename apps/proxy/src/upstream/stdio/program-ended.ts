import { CountersignError } from "@countersign/contracts";

/** A server's process that ended by itself. */
export class ProgramEnded extends CountersignError {
  constructor(exitCode: number | null, signal: NodeJS.Signals | null) {
    const how = signal ? `by ${signal}` : `with exit code ${exitCode ?? "unknown"}`;
    super("upstream_program_ended", `The upstream's program ended ${how}: run it by hand to see why.`);
  }
}
