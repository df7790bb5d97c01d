import { mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, portNames, portsOf, startSuite, type Suite, type SuiteOptions } from "@countersign/local";

/** The whole suite in a folder of its own, beside whatever else runs on this machine. */
export async function startTestSuite(
  env: Record<string, string> = {},
  options: Pick<SuiteOptions, "services" | "configFile"> = {},
): Promise<Suite & { forget(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), "countersign-journey-"));
  // PostgreSQL runs as a user of its own, who has to be able to pass.
  await chmod(dataDir, 0o755);
  const { KAFKA_BROKERS: _k, DATABASE_URL: _d, ...inherited } = process.env;
  const suite = await startSuite({
    ...options,
    dataDir,
    ports: portsOf(await freePorts(portNames.length)),
    env: { ...inherited, ...env },
  });
  // Tests kill parts on purpose; what they assert says more than this would.
  suite.failure.catch(() => undefined);
  return Object.assign(Object.create(suite) as Suite, {
    async forget() {
      await suite.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  });
}
