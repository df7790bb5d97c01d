import type { Draft, Edit } from "./draft.js";
import { SENSITIVE_KEYS } from "./keys.js";
import { sensitiveField } from "./sensitive-field.js";
import type { Settings } from "./settings.js";

/** `INSERT INTO cards (name, cvv) VALUES`; rows follow it. */
const INSERT =
  /\b(?:insert|replace)\s{1,20}(?:\w{1,20}\s{1,20}){0,2}into\s{1,20}[^\s()]{1,128}\s{0,20}\(([^()]{1,2000})\)\s{0,20}values\s{0,20}/gi;
const MAY_INSERT = /\bvalues\b/i;

export function mayHoldInsert(text: string): boolean {
  return MAY_INSERT.test(text);
}

/** Hides codes, PINs and tracks in rows of SQL whose columns are named. */
export function searchInserts(draft: Draft, { classify }: Settings): void {
  const text = draft.masked;
  if (!mayHoldInsert(text)) return;
  const edits: Edit[] = [];
  for (const match of text.matchAll(INSERT)) {
    const meanings = match[1]!.split(",").map((name) => classify(name.trim()) & SENSITIVE_KEYS);
    if (meanings.every((meaning) => meaning === 0)) continue;
    for (const [column, start, end] of cellsFrom(text, match.index + match[0].length)) {
      const found = sensitiveField(text.slice(start, end), meanings[column] ?? 0);
      const [finding] = found?.findings ?? [];
      if (!finding) continue;
      const stars = "*".repeat(end - start);
      const findings = [{ ...finding, rule: `${finding.kind}.column`, start, end }];
      edits.push({ start, end, masked: stars, withoutSad: stars, findings });
    }
  }
  if (edits.length > 0) draft.apply(edits);
}

/** Column, start and end of each value in `(…), (…)`, without blanks and quotes. */
function* cellsFrom(text: string, from: number): Generator<[number, number, number]> {
  let at = from;
  while (text.charAt(at) === "(") {
    let column = 0;
    let start = at + 1;
    let quote = "";
    for (at = start; at < text.length; at++) {
      const sign = text.charAt(at);
      if (quote !== "") {
        if (sign === "\\") at++;
        else if (sign === quote) quote = "";
      } else if (sign === "'" || sign === '"') quote = sign;
      else if (sign === "," || sign === ")") {
        yield [column++, ...trimmed(text, start, at)];
        start = at + 1;
        if (sign === ")") break;
      }
    }
    at++;
    while (/[\s,]/.test(text.charAt(at))) at++;
  }
}

function trimmed(text: string, start: number, end: number): [number, number] {
  let first = start;
  let last = end;
  while (first < last && /[\s"']/.test(text.charAt(first))) first++;
  while (last > first && /[\s"']/.test(text.charAt(last - 1))) last--;
  return [first, last];
}
