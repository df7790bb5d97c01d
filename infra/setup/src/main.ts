import { CountersignError } from "@countersign/contracts";
import { createLogger } from "@countersign/service-kit";
import { adminUrlOf, readConfig } from "./config.js";
import { leaveDatabaseUrl, passwordFrom } from "./password-files.js";
import { ensurePaymentsDatabase } from "./payments-database.js";
import { setup } from "./setup.js";

const log = createLogger("setup", "info");
try {
  const config = readConfig(process.env);
  const adminDatabaseUrl = adminUrlOf(config);
  const { databaseUrls } = await setup({
    kafkaBrokers: config.KAFKA_BROKERS,
    adminDatabaseUrl,
    passwordOf: (service) => passwordFrom(config.SECRETS_DIR, service),
    onProgress: (line) => log.info(line),
  });
  for (const [service, url] of Object.entries(databaseUrls)) {
    await leaveDatabaseUrl(config.SECRETS_DIR, service, url);
  }
  if (config.PAYMENTS_DATABASE === "true") {
    const password = await passwordFrom(config.SECRETS_DIR, "payments");
    const url = await ensurePaymentsDatabase(adminDatabaseUrl, password);
    await leaveDatabaseUrl(config.SECRETS_DIR, "payments", url);
  }
} catch (error) {
  log.fatal({ error }, "setup failed; it may be run again once this is mended");
  if (error instanceof CountersignError) process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
