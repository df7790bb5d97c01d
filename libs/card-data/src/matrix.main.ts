import type { Tally } from "./matrix-report.js";
import { runFreeTexts, runMatrix } from "./matrix-report.js";

const SEED = 20261122;
const NEGATIVES_PER_KIND = 20_000;
const FREE_TEXTS = 20_000;
/** Of cards in texts as people write them; of the matrix every case has to be found. */
const FREE_TEXT_RECALL_MIN = 0.99;

const report = runMatrix(SEED, NEGATIVES_PER_KIND);
const free = runFreeTexts(SEED, FREE_TEXTS);
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
table("Free text, by writing", free.byWriting);
table("Free text", [
  ["recall", free.all],
  ["false hits without cards", free.without],
]);
for (const { brand, length, separator, carrier } of report.missed) {
  lines.push(`missed: ${brand} ${length} ${separator} ${carrier}`);
}
process.stdout.write(`${lines.join("\n")}\n`);
const enough = free.all.found >= FREE_TEXT_RECALL_MIN * free.all.cases;
process.exitCode = report.missed.length === 0 && enough ? 0 : 1;
