import { rm } from "node:fs/promises";
import { dataDirFrom } from "./data-dir.js";
import { lockDataDir } from "./launcher-lock.js";
import { describe } from "./run-launcher.js";

try {
  const dataDir = dataDirFrom(process.env);
  const lock = lockDataDir(dataDir);
  try {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
  } finally {
    lock.release();
  }
  process.stdout.write(`Forgot everything in ${dataDir}.\n`);
  if (process.env["DATABASE_URL"] || process.env["KAFKA_BROKERS"]) {
    process.stdout.write("The existing cluster and server that the environment names were not touched.\n");
  }
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
}
