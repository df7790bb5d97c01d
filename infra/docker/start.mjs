// Starts the part that the command or COUNTERSIGN_SERVICE names, in this very process.
import { readFileSync } from "node:fs";

const programs = {
  proxy: "apps/proxy/dist/main.js",
  identity: "apps/identity/dist/main.js",
  "session-broker": "apps/session-broker/dist/main.js",
  approval: "apps/approval/dist/main.js",
  masking: "apps/masking/dist/main.js",
  audit: "apps/audit/dist/main.js",
  setup: "infra/setup/dist/main.js",
  secrets: "infra/setup/dist/secrets.main.js",
  "dev-idp": "infra/dev-idp/dist/main.js",
  payments: "test/fixtures/payments-server/dist/main.js",
};

// Secrets that the programs take as values. They come out of files here, so that neither a compose file nor
// `docker inspect` has them; a value that is in the environment wins.
const secrets = ["COMPANY_IDP_CLIENT_SECRET", "CI_CLIENT_SECRET", "PAYMENTS_UPSTREAM_TOKEN", "DATABASE_URL"];

const name = process.argv[2] ?? process.env.COUNTERSIGN_SERVICE ?? "";
const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
if (program === undefined) {
  process.stderr.write(`There is no part "${name}"; name one of ${Object.keys(programs).join(", ")}.\n`);
  process.exit(64);
}
for (const secret of secrets) {
  const file = process.env[`${secret}_FILE`];
  if (file === undefined || process.env[secret]) continue;
  try {
    process.env[secret] = readFileSync(file, "utf8").trim();
  } catch {
    process.stderr.write(
      `${name}: ${secret}_FILE names a file that cannot be read; run the secrets and setup parts first.\n`,
    );
    process.exit(1);
  }
}
await import(new URL(`../../${program}`, import.meta.url).href);
