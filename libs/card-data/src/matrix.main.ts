import type { Tally } from "./matrix-report.js";
import { runMatrix } from "./matrix-report.js";

const SEED = 20261122;
const NEGATIVES_PER_KIND = 20_000;

const report = runMatrix(SEED, NEGATIVES_PER_KIND);
const lines: string[] = [];

function table(title: string, tallies: Iterable<[string, Tally]>): void {
  lines.push(
    "",
    `${title.padEnd(28)}${"cases".padStart(9)}${"card-data".padStart(12)}${"plain rule".padStart(12)}`,
  );
  for (const [name, { cases, found, foundByPlainRule }] of tallies) {
    const share = (part: number) => `${((100 * part) / cases).toFixed(2)} %`.padStart(12);
    lines.push(`${name.padEnd(28)}${String(cases).padStart(9)}${share(found)}${share(foundByPlainRule)}`);
  }
}

lines.push(`Seed ${SEED}. The plain rule: 12 to 19 digits with spaces or hyphens, and the check digit.`);
table("Recall by brand", report.byBrand);
table("Recall by writing", report.bySeparator);
table("Recall by carrier", report.byCarrier);
table("Recall", [["all", report.all]]);
table("False hits", report.falseHits);
for (const { brand, length, separator, carrier } of report.missed) {
  lines.push(`missed: ${brand} ${length} ${separator} ${carrier}`);
}
process.stdout.write(`${lines.join("\n")}\n`);
process.exitCode = report.missed.length === 0 ? 0 : 1;
