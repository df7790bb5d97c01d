// oxlint-disable no-console -- This program's output is a table.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { differences, failuresOf, readChecks } from "./checks.ts";
import { installSuites, runSuite } from "./official-suite.ts";
import { clientScenarios, serverRuns } from "./plan.ts";
import { Stand } from "./stand.ts";

/**
 * Runs the official conformance suite against servers and clients that pass it, directly and through the gateway with
 * everything switched on, and fails on any check that differs: the gateway may not be noticed. Arguments choose runs
 * by a part of their name.
 */
const chosen = process.argv.slice(2);
const isChosen = (name: string): boolean => chosen.length === 0 || chosen.some((part) => name.includes(part));

const folder = await mkdtemp(join(tmpdir(), "countersign-conformance-"));
const stand = new Stand(folder);
const rows: string[][] = [];
let differing = 0;
let recorded = 0;

async function compare(name: string, run: (through: "direct" | "gateway", into: string) => Promise<void>) {
  const into = (through: string): string => join(folder, "results", name.replaceAll(/\W+/g, "-"), through);
  await run("direct", into("direct"));
  await run("gateway", into("gateway"));
  const direct = await readChecks(into("direct"));
  const gateway = await readChecks(into("gateway"));
  const found = differences(direct, gateway);
  differing += found.length;
  const checks = [...gateway.values()].flat();
  rows.push(
    [name, gateway.size, checks.length, failuresOf(direct), failuresOf(gateway), found.length].map(String),
  );
  console.log(`${found.length === 0 ? "same" : "DIFFERS"}  ${name}`);
  for (const difference of found) console.log(`    ${difference}`);
  if (direct.size === 0) {
    differing += 1;
    console.log("    no scenario ran");
  }
}

try {
  const suites = await installSuites(join(folder, "suites"));
  await stand.start();
  for (const { name, suite, arguments: given, fixture } of serverRuns) {
    if (!isChosen(name)) continue;
    await compare(name, async (through, into) => {
      const url =
        through === "direct" ? stand.urlOf(fixture) : await stand.throughGateway(stand.urlOf(fixture));
      await runSuite(suites[suite], ["server", "--url", url, ...given, "--output-dir", into]);
    });
  }
  for (const { name, suite, scenario, version } of clientScenarios) {
    if (!isChosen(name)) continue;
    await compare(name, async (through, into) => {
      const command = `${process.execPath} ${join(import.meta.dirname, "clients/client.ts")} ${version} ${through === "direct" ? "direct" : stand.controlUrl}`;
      const which = ["--scenario", scenario, "--spec-version", version];
      await runSuite(suites[suite], ["client", "--command", command, ...which, "--output-dir", into]);
    });
  }
  recorded = stand.recorded;
} finally {
  await stand.stop();
  if (differing === 0) await rm(folder, { recursive: true, force: true });
}

const header = ["run", "scenarios", "checks", "failed directly", "failed through the gateway", "differences"];
const widths = header.map((title, column) =>
  Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0), title.length),
);
for (const row of [header, ...rows])
  console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
console.log(`${recorded} records were written to Kafka.`);
console.log(
  differing === 0
    ? "The gateway changes no check."
    : `${differing} differences; the results are in ${join(folder, "results")}.`,
);
process.exitCode = differing === 0 ? 0 : 1;
