import { readFile } from "node:fs/promises";
import { globSync } from "node:fs";
import { basename, dirname, join } from "node:path";

interface Check {
  readonly id: string;
  readonly name?: string;
  readonly status: string;
  readonly errorMessage?: string;
}

/** Each scenario's checks, by its name. */
export type Checks = ReadonlyMap<string, readonly Check[]>;

export async function readChecks(folder: string): Promise<Checks> {
  const checks = new Map<string, Check[]>();
  for (const file of globSync("**/checks.json", { cwd: folder })) {
    const scenario = join(
      dirname(dirname(file)),
      basename(dirname(file)).replace(/-\d{4}-\d\d-\d\dT.*$/, ""),
    );
    checks.set(scenario, JSON.parse(await readFile(join(folder, file), "utf8")) as Check[]);
  }
  return checks;
}

export const failuresOf = (checks: Checks): number =>
  [...checks.values()].flat().filter(({ status }) => status === "FAILURE").length;

/** Says of each check that came out differently what it was and what it became. */
export function differences(direct: Checks, gateway: Checks): string[] {
  return [...new Set([...direct.keys(), ...gateway.keys()])].toSorted().flatMap((scenario) => {
    const before = linesOf(direct.get(scenario));
    const after = linesOf(gateway.get(scenario));
    const gone = without(before, after).map((line) => `${scenario}: directly ${line}`);
    return [...gone, ...without(after, before).map((line) => `${scenario}: through the gateway ${line}`)];
  });
}

const linesOf = (checks: readonly Check[] = []): string[] =>
  checks
    .map(
      ({ id, name, status, errorMessage }) => `${status} ${id} (${name ?? ""}) ${steady(errorMessage ?? "")}`,
    )
    .toSorted();

/** What is left of one list when each line of the other took one away. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

/** A message without what no two runs share: ports, ids and times. */
const steady = (message: string): string =>
  message
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "<id>")
    .replaceAll(/(localhost|127\.0\.0\.1):\d+(\/\S*)?/g, "<address>")
    .replaceAll(/\d+(\.\d+)? ?ms/g, "<time>");
