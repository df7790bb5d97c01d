import { join, resolve } from "node:path";
import { repositoryRoot } from "./repository.js";

/** Where the suite keeps everything: `COUNTERSIGN_DATA_DIR`, or `.countersign` in this checkout. */
export function dataDirFrom(env: NodeJS.ProcessEnv): string {
  return resolve(env["COUNTERSIGN_DATA_DIR"] || join(repositoryRoot, ".countersign"));
}
