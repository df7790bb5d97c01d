import type { SuiteName } from "./official-suite.ts";

export type FixtureName = "legacy" | "modern";

/** Which scenarios are run against servers: everything that the suites know for a revision. */
export const serverRuns: readonly {
  readonly name: string;
  readonly suite: SuiteName;
  readonly fixture: FixtureName;
  readonly arguments: readonly string[];
}[] = [
  {
    name: "server 2025-06-18, suite 0.1.16",
    suite: "0.1.16",
    fixture: "legacy",
    arguments: ["--suite", "all", "--spec-version", "2025-06-18"],
  },
  {
    name: "server 2025-11-25, suite 0.1.16",
    suite: "0.1.16",
    fixture: "legacy",
    arguments: ["--suite", "all", "--spec-version", "2025-11-25"],
  },
  {
    name: "server 2025-11-25, suite 0.2.0-alpha.12",
    suite: "0.2.0-alpha.12",
    fixture: "legacy",
    arguments: ["--requirements", "2025-11-25"],
  },
  {
    name: "server 2026-07-28, suite 0.2.0-alpha.12",
    suite: "0.2.0-alpha.12",
    fixture: "modern",
    arguments: ["--requirements", "2026-07-28"],
  },
];

const legacy = ["initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"];
const modern = [
  "tools_call",
  "request-metadata",
  "sep-2322-client-request-state",
  "http-standard-headers",
  "http-custom-headers",
  "http-invalid-tool-headers",
  "json-schema-ref-no-deref",
  "json-schema-2020-12-preservation",
];

/**
 * Which scenarios are run against clients. The `auth/` scenarios are left out: they are about the login at the server,
 * and a client of the gateway logs in at the gateway.
 */
export const clientScenarios: readonly {
  readonly name: string;
  readonly suite: SuiteName;
  readonly scenario: string;
  readonly version: string;
}[] = [
  ...scenarios("0.1.16", "2025-11-25", legacy),
  ...scenarios("0.2.0-alpha.12", "2025-11-25", [...legacy, "json-schema-2020-12-preservation"]),
  ...scenarios("0.2.0-alpha.12", "2026-07-28", modern),
];

function scenarios(suite: SuiteName, version: string, names: readonly string[]) {
  return names.map((scenario) => ({
    name: `client ${version}, suite ${suite}: ${scenario}`,
    suite,
    scenario,
    version,
  }));
}
