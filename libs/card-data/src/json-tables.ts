import type { Candidate } from "./candidate.js";
import type { JsonFrame } from "./json-frame.js";
import { decodeJsonString } from "./json-string.js";
import { SENSITIVE_KEYS } from "./keys.js";
import type { Found } from "./rewrite.js";
import { scanNumber } from "./scan-number.js";
import { sensitiveField } from "./sensitive-field.js";
import type { Settings } from "./settings.js";

/** Longer strings are neither names of columns nor codes. */
const CELL_UNITS_MAX = 256;

/** A cell that may hold a code, a PIN or a track, for what the head of its table says of it. */
export interface TableCell {
  token: Candidate;
  meaning: number;
}

/**
 * Tables in JSON: a list of lists whose first one names the columns, or `{"columns": […], "rows": [[…]]}` in either
 * order. Names may be strings or objects with a name.
 */
export class JsonTables {
  private readonly columns = new Map<JsonFrame, Map<number, number>>();
  private readonly cells: Candidate[] = [];

  addHead(scope: JsonFrame | undefined, index: number, meaning: number): void {
    if (!scope) return;
    const columns = this.columns.get(scope) ?? new Map<number, number>();
    columns.set(index, meaning);
    this.columns.set(scope, columns);
    // `{"meta": {"columns": […]}, "data": [[…]]}`
    if (!scope.array && scope.parent && !scope.parent.array && !this.columns.has(scope.parent)) {
      this.columns.set(scope.parent, columns);
    }
  }

  addCell(token: Candidate): void {
    if (token.end - token.start <= CELL_UNITS_MAX) this.cells.push(token);
  }

  *sensitiveCells(): Generator<TableCell> {
    for (const token of this.cells) {
      const rows = token.frame?.parent;
      const columns = rows && (this.columns.get(rows) ?? (rows.parent && this.columns.get(rows.parent)));
      const meaning = columns?.get(token.index);
      if (meaning !== undefined) yield { token, meaning };
    }
  }
}

/** What the name of a column says of its cells; nothing where they need no look of their own. */
export function columnMeaning(text: string, start: number, end: number, { classify }: Settings): number {
  if (end - start > CELL_UNITS_MAX) return 0;
  return classify(decodeJsonString(text, start, end)) & SENSITIVE_KEYS;
}

/** The cell's content, hidden, if it can be what its column is named for; in units of the value. */
export function searchCell(
  text: string,
  { token, meaning }: TableCell,
  { strictness }: Settings,
): Found | undefined {
  const { what, start, end } = token;
  const found =
    what === "number"
      ? scanNumber(text.slice(start, end), meaning, strictness)
      : sensitiveField(decodeJsonString(text, start, end), meaning);
  const kind = found?.findings[0]?.kind;
  if (!found || kind === undefined || kind === "pan") return undefined;
  return { ...found, findings: found.findings.map((finding) => ({ ...finding, rule: `${kind}.column` })) };
}
