import { join } from "node:path";

export const javaVersionMin = 17;

/** `JAVA_HOME` wins over the search path, as it does for Maven. */
export function javaCommand(env: NodeJS.ProcessEnv = process.env): string {
  return env["JAVA_HOME"] ? join(env["JAVA_HOME"], "bin/java") : "java";
}

/** The feature release in what `java -version` prints: 8 for `1.8.0_392`, 17 for `17.0.15`. */
export function javaVersionOf(output: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
