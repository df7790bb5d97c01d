import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const cache = fileURLToPath(new URL("../../../../node_modules/.cache/countersign-servers", import.meta.url));
const installMs = 110_000;

/**
 * Installs MCP servers of other people from npm, in the versions given, into a folder that later runs use again; no
 * script of theirs runs by that. Answers the folder of the packages, or undefined where npm cannot be had.
 */
export async function installed(...packages: readonly string[]): Promise<string | undefined> {
  const folder = join(cache, packages.join("+").replaceAll(/[^\w.@+-]/g, "_"));
  const modules = join(folder, "node_modules");
  if (existsSync(modules)) return modules;
  const unfinished = `${folder}.${process.pid}`;
  try {
    await mkdir(unfinished, { recursive: true });
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--omit=optional"];
    await promisify(execFile)("npm", ["install", "--prefix", unfinished, ...options, ...packages], {
      timeout: installMs,
    });
    await rename(unfinished, folder);
    return modules;
  } catch {
    await rm(unfinished, { recursive: true, force: true });
    return existsSync(modules) ? modules : undefined;
  }
}
