import { CountersignError } from "@countersign/contracts";
import { createLogger } from "@countersign/service-kit";
import { readConfig } from "./config.js";
import { leaveDatabaseUrl, passwordFrom } from "./password-files.js";
import { setup } from "./setup.js";

const log = createLogger("setup", "info");
try {
  const config = readConfig(process.env);
  const { databaseUrls } = await setup({
    kafkaBrokers: config.KAFKA_BROKERS,
    adminDatabaseUrl: config.ADMIN_DATABASE_URL,
    passwordOf: (service) => passwordFrom(config.SECRETS_DIR, service),
    onProgress: (line) => log.info(line),
  });
  for (const [service, url] of Object.entries(databaseUrls)) {
    await leaveDatabaseUrl(config.SECRETS_DIR, service, url);
  }
} catch (error) {
  log.fatal({ error }, "setup failed; it may be run again once this is mended");
  if (error instanceof CountersignError) process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
