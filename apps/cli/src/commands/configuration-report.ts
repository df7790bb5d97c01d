import type { ConfigurationProblem } from "@countersign/configuration";
import { printable } from "../printable.js";

export interface CheckResult {
  readonly text: string;
  readonly exitCode: 0 | 1;
}

/** Every problem at once: where it is and what it is on one line, how to put it right on the next. */
export const describeProblems = (problems: readonly ConfigurationProblem[]): string =>
  problems
    .flatMap(({ file, line, path, message, fix }) => [
      `${file}${line === undefined ? "" : `:${line}`}: ${path === "" ? "" : `${path} `}${message}`,
      `  fix: ${fix}`,
    ])
    .map((line) => `${printable(line)}\n`)
    .join("");

export const counted = (count: number, noun: string, plural: string): string =>
  `${count} ${count === 1 ? noun : plural}`;
