import type { Draft, Edit } from "./draft.js";
import { SENSITIVE_KEYS } from "./keys.js";
import { mayHoldInsert, searchInserts } from "./search-inserts.js";
import { sensitiveField } from "./sensitive-field.js";
import type { Settings } from "./settings.js";

/** Names of columns that hold codes, PINs or tracks contain one of these. */
export const MAY_NAME_COLUMN =
  /cv[vcnd]|cav|csc|cid|c[oó]d[eio]|verifi[ck]a|pin|nip|track|epb|stripe|prf|prüf|pruef|sicherheit|geheim|crypto|kod|код|пин|コード|码|碼|코드/i;
const DELIMITERS = [",", ";", "\t", "|", "│"];
/** A longer line is prose, not the head of a table. */
const HEAD_UNITS_MAX = 2000;

interface Cell {
  start: number;
  end: number;
}

/**
 * Hides codes, PINs and tracks in the columns of delimited tables (CSV, TSV, Markdown) whose head names them; a card
 * number needs no column to be found. A table ends at an empty line or at the next head.
 */
export function searchTables(draft: Draft, settings: Settings): void {
  if (!mayHoldTable(draft.masked)) return;
  searchInserts(draft, settings);
  const text = draft.masked;
  const edits: Edit[] = [];
  let table: { delimiter: string; meanings: number[] } | undefined;
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf("\n", from);
    const to = newline === -1 ? text.length : newline;
    const head = readHead(text, from, to, settings);
    if (head) table = head;
    else if (text.slice(from, Math.min(to, from + 8)).trim() === "" && to - from < 8) table = undefined;
    else if (table) {
      const { meanings } = table;
      for (const [column, { start, end }] of cellsOf(text, from, to, table.delimiter).entries()) {
        const meaning = meanings[column] ?? 0;
        const found = meaning === 0 ? undefined : sensitiveField(text.slice(start, end), meaning);
        const finding = found?.findings[0];
        if (!found || !finding) continue;
        const stars = "*".repeat(end - start);
        const rule = `${finding.kind}.column`;
        edits.push({
          start,
          end,
          masked: stars,
          withoutSad: stars,
          findings: [{ ...finding, rule, start, end }],
        });
      }
    }
    from = to + 1;
  }
  if (edits.length > 0) draft.apply(edits);
}

/** Whether the text has lines, or rows of SQL, and names what a column may be hidden for. */
export function mayHoldTable(text: string): boolean {
  return (text.includes("\n") || mayHoldInsert(text)) && MAY_NAME_COLUMN.test(text);
}

function readHead(text: string, from: number, to: number, { classify }: Settings) {
  if (to - from > HEAD_UNITS_MAX) return undefined;
  const line = text.slice(from, to);
  if (!MAY_NAME_COLUMN.test(line)) return undefined;
  for (const delimiter of DELIMITERS) {
    if (!line.includes(delimiter)) continue;
    const names = cellsOf(text, from, to, delimiter).map(({ start, end }) => text.slice(start, end));
    const meanings = names.map((name) => classify(name) & SENSITIVE_KEYS);
    // Names hold no numbers; what does is a row, or a sentence.
    if (meanings.some((meaning) => meaning !== 0) && !names.some((name) => /\d{3}|[:=]/.test(name))) {
      return { delimiter, meanings };
    }
  }
  return undefined;
}

/** The cells of a line without their blanks and quotes; a delimiter within quotes divides nothing. */
function cellsOf(text: string, from: number, to: number, delimiter: string): Cell[] {
  const cells: Cell[] = [];
  let start = from;
  let quoted = false;
  for (let at = from; at <= to; at++) {
    const sign = at < to ? text.charAt(at) : delimiter;
    if (sign === '"' && at < to) quoted = !quoted;
    if (at < to && (sign !== delimiter || quoted)) continue;
    let first = start;
    let last = at;
    while (first < last && /[\s"']/.test(text.charAt(first))) first++;
    while (last > first && /[\s"']/.test(text.charAt(last - 1))) last--;
    cells.push({ start: first, end: last });
    start = at + 1;
  }
  return cells;
}
