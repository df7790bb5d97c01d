import { brandOf } from "./brands.js";
import { joins, PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";
import { passesLuhn } from "./luhn.js";
import type { PanContext, Reading } from "./pan-judge.js";
import { judge } from "./pan-judge.js";

/** A stretch of folded text that holds a card. All but the first and last digits shown are masked. */
export interface PanMatch {
  from: number;
  to: number;
  showFirst: number;
  showLast: number;
  readings: Reading[];
}

/** PCI DSS 3.4.1: the BIN and the last four digits at the most. */
export const SHOWN_FIRST = 6;
export const SHOWN_LAST = 4;

/** Cards in folded text, in order and without overlap. `groups` are its digit groups. */
export function findPans(text: string, groups: readonly number[], context: PanContext): PanMatch[] {
  const found: PanMatch[] = [];
  for (let first = 0; first < groups.length;) {
    let next = first + 2;
    let digits = groups[first + 1]! - groups[first]!;
    while (next < groups.length && joins(text, groups[next - 1]!, groups[next]!)) {
      digits += groups[next + 1]! - groups[next]!;
      next += 2;
    }
    if (digits >= PAN_DIGITS_MIN) searchCluster(text, groups, first, next, context, found);
    first = next;
  }
  return found;
}

interface Window {
  first: number;
  last: number;
  reading: Reading;
}

/** Groups that may belong together: every window of whole groups with the length of a card is judged. */
function searchCluster(
  text: string,
  groups: readonly number[],
  begin: number,
  end: number,
  context: PanContext,
  found: PanMatch[],
): void {
  const windows: Window[] = [];
  for (let first = begin; first < end; first += 2) {
    let total = 0;
    for (let last = first; last < end; last += 2) {
      total += groups[last + 1]! - groups[last]!;
      if (total > PAN_DIGITS_MAX) {
        if (first === last && context.panKey) searchLongRun(text, groups[first]!, groups[first + 1]!, found);
        break;
      }
      if (total < PAN_DIGITS_MIN) continue;
      const reading = judge(text, groups, first, last, begin, end, context);
      if (reading) windows.push({ first, last, reading });
    }
  }
  resolveOverlaps(groups, windows, found);
}

/**
 * Of windows that begin together the longest counts: masking too few digits of a card is worse than too many. Where
 * that is not enough to tell them apart, every digit but the first six is masked.
 */
function resolveOverlaps(groups: readonly number[], windows: readonly Window[], found: PanMatch[]): void {
  const branded = windows.filter((window) => window.reading.brand !== undefined);
  const kept = windows.filter(
    (window) =>
      window.reading.brand !== undefined ||
      !branded.some((other) => other.first <= window.last && window.first <= other.last),
  );
  for (let i = 0; i < kept.length;) {
    const { first } = kept[i]!;
    let { last } = kept[i]!;
    let ambiguous = false;
    let readings = [kept[i]!.reading];
    for (i++; i < kept.length && kept[i]!.first <= last; i++) {
      const window = kept[i]!;
      // Three digits after a whole card may be its verification code, which must not be shown as its last digits.
      const tail = groups[window.last + 1]! - groups[window.last]!;
      if (window.first !== first || tail === CODE_DIGITS) ambiguous = true;
      readings = ambiguous ? [...readings, window.reading] : [window.reading];
      last = Math.max(last, window.last);
    }
    found.push({
      from: groups[first]!,
      to: groups[last + 1]!,
      showFirst: SHOWN_FIRST,
      showLast: ambiguous ? 0 : SHOWN_LAST,
      readings,
    });
  }
}

const CODE_DIGITS = 3;

/** In a field that is named for cards, a card may be stuck to other digits; a table's range and check digit find it. */
function searchLongRun(text: string, from: number, to: number, found: PanMatch[]): void {
  const bounded = Math.min(to, from + LONG_RUN_MAX);
  for (let start = from; start + PAN_DIGITS_MIN <= bounded; start++) {
    for (const length of [16, 15, 19, 14, 18, 17, 13]) {
      const digits = text.slice(start, Math.min(start + length, bounded));
      if (digits.length !== length || !passesLuhn(digits)) continue;
      const brand = brandOf(digits);
      if (!brand) continue;
      const reading = { digits, brand: brand.brand, rule: "pan.run" };
      found.push({ from, to, showFirst: 0, showLast: 0, readings: [reading] });
      return;
    }
  }
}

/** Longer runs of digits are no track and no record, even in a field that is named for cards. */
const LONG_RUN_MAX = 512;
