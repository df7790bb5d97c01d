import pc from "picocolors";
import { LaunchError } from "../launch-error.js";

const lineMax = 160;

/** Tells the play as it goes: what is done, what was seen, and whether it held. */
export class Told {
  #step = 0;

  constructor(private readonly print: (line: string) => void) {}

  step(title: string): void {
    this.#step += 1;
    this.print("");
    this.print(pc.bold(`${this.#step}. ${title}`));
  }

  saw(what: string, value?: string): void {
    const shown =
      value === undefined
        ? ""
        : ` ${pc.cyan(value.length > lineMax ? `${value.slice(0, lineMax)}…` : value)}`;
    this.print(`   ${what}${shown}`);
  }

  /** A step that does not hold ends the play, and its exit code is not 0. */
  holds(condition: boolean, claim: string): void {
    if (!condition) {
      this.print(`   ${pc.red("✗")} ${claim}`);
      throw new LaunchError("demo_failed", `This did not hold: ${claim}. The logs say more.`);
    }
    this.print(`   ${pc.green("✓")} ${claim}`);
  }
}
