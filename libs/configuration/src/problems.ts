import { CountersignError } from "@countersign/contracts";

export interface ConfigurationProblem {
  /** Relative to the folder of the configuration. */
  readonly file: string;
  /** Counted from one. */
  readonly line?: number;
  /** Where in the file, such as `endpoints[0].session.idle`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
  readonly fix: string;
}

/** A configuration that must not be used. It names everything that is wrong, and never a value. */
export class ConfigurationRefused extends CountersignError {
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
    super("configuration_refused", `The configuration has ${count}:\n${problems.map(describe).join("\n")}`);
    this.problems = problems;
  }
}

const describe = ({ file, line, path, message, fix }: ConfigurationProblem): string =>
  `  ${file}${line === undefined ? "" : `:${line}`} ${path ? `${path} ` : ""}${message}. ${fix}`;
