import { execFile, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const versions = ["0.1.16", "0.2.0-alpha.12"] as const;
export type SuiteName = (typeof versions)[number];

const suiteMsMax = 15 * 60_000;

/** Installs the official suites by npm, away from this repository's own dependencies; the programs' paths by version. */
export async function installSuites(folder: string): Promise<Record<SuiteName, string>> {
  await mkdir(folder, { recursive: true });
  const aliases = versions.map((version) => [
    `suite-${version}`,
    `npm:@modelcontextprotocol/conformance@${version}`,
  ]);
  const manifest = { private: true, dependencies: Object.fromEntries(aliases) as Record<string, string> };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  const paths = versions.map((version) => [
    version,
    join(folder, `node_modules/suite-${version}/dist/index.js`),
  ]);
  return Object.fromEntries(paths) as Record<SuiteName, string>;
}

/** Runs a suite to its end. Its exit code says whether all checks passed, which is not the question here. */
export async function runSuite(program: string, given: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [program, ...given], { stdio: "ignore" });
  const timer = setTimeout(() => child.kill(), suiteMsMax);
  await new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
  clearTimeout(timer);
}
