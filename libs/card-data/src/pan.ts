import type { Brand } from "./brands.js";
import { brandOf } from "./brands.js";
import { passesLuhn } from "./luhn.js";
import type { AllowedShape } from "./allowed.js";
import { isAllowed } from "./allowed.js";
import {
  isDecimalFraction,
  isInsideHex,
  isInsideIban,
  isInsideUuid,
  isParcelNumber,
  isPhoneLike,
  labelsCard,
  namesAnotherNumber,
  speaksOfCards,
} from "./surroundings.js";

/** Digits of a card, as one way of reading the text has them. */
export interface Reading {
  digits: string;
  brand: string | undefined;
  rule: string;
}

/** A stretch of folded text that holds a card. All but the first and last digits shown are masked. */
export interface PanMatch {
  from: number;
  to: number;
  showFirst: number;
  showLast: number;
  readings: Reading[];
}

export interface PanContext {
  /** The field's name, an ancestor's or a sibling's speaks of cards. */
  context: boolean;
  /** The field is named as one that holds a card number. */
  panKey: boolean;
  /** The field is named as one that holds another kind of number. */
  other: boolean;
  contextWords: readonly string[];
  allowed: readonly AllowedShape[];
}

export const PAN_DIGITS_MIN = 12;
export const PAN_DIGITS_MAX = 19;
/** PCI DSS 3.4.1: the BIN and the last four digits at the most. */
const SHOWN_FIRST = 6;
const SHOWN_LAST = 4;

/** Between two groups of one card stand at most this many separators. */
const SEPARATORS_MAX = 3;

/**
 * Whether the stretch has digits enough for a card with nothing but separators between them, or an escape that may
 * hide some. Says yes too often, never no wrongly: most identifiers and dates get no closer look.
 */
export function mayHoldCard(text: string, start: number, end: number): boolean {
  let digits = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) {
      if (++digits >= PAN_DIGITS_MIN) return true;
    } else if (!isSeparator(code)) {
      // % & \
      if (code === 37 || code === 38 || code === 92) return true;
      digits = 0;
    }
  }
  return false;
}

const NEXT_DIGIT = /[0-9]/g;
const WALKED_UNITS = 24;

/** The runs of ASCII digits in folded text, as flat pairs of offsets. */
export function digitGroups(text: string): number[] {
  const groups: number[] = [];
  const { length } = text;
  let others = 0;
  for (let i = 0; i < length; i++) {
    let code = text.charCodeAt(i);
    if (code < 48 || code > 57) {
      if (++others < WALKED_UNITS) continue;
      // Over prose a regular expression's search is several times faster than this loop.
      NEXT_DIGIT.lastIndex = i + 1;
      if (!NEXT_DIGIT.test(text)) break;
      i = NEXT_DIGIT.lastIndex - 2;
      continue;
    }
    others = 0;
    const start = i;
    do code = text.charCodeAt(++i);
    while (code >= 48 && code <= 57);
    groups.push(start, i);
  }
  return groups;
}

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

function joins(text: string, from: number, to: number): boolean {
  if (to - from > SEPARATORS_MAX) return false;
  for (let i = from; i < to; i++) {
    if (!isSeparator(text.charCodeAt(i))) return false;
  }
  return true;
}

function isSeparator(code: number): boolean {
  // space - . / _
  return code === 32 || code === 45 || code === 46 || code === 47 || code === 95;
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

const ODD_GROUPS_MAX = 7;

function judge(
  text: string,
  groups: readonly number[],
  first: number,
  last: number,
  begin: number,
  end: number,
  context: PanContext,
): Reading | undefined {
  const from = groups[first]!;
  const to = groups[last + 1]!;
  const single = first === last;
  const shape = single ? "plain" : shapeOf(groups, first, last, begin, end);
  // Rows of figures are full of windows; nobody cuts a card into so many unlike pieces.
  if (shape === "odd" && last - first > 2 * ODD_GROUPS_MAX) return undefined;
  const labelled = labelsCard(text, from);
  const whole = first === begin && last + 2 === end;
  const wholeField = context.panKey && whole && isWholeField(text, from, to);
  let digits = "";
  for (let group = first; group <= last; group += 2) digits += text.slice(groups[group], groups[group + 1]);
  const luhn = passesLuhn(digits);
  if (!luhn && !wholeField && !(labelled && (whole || shape === "card"))) return undefined;
  if (shape === "odd") {
    // A figure with a fraction is one number, whatever words stand around it.
    if (text.slice(from, to).includes(".")) return undefined;
    if (!context.context && !speaksOfCards(text, from, to, context.contextWords)) return undefined;
  }
  if (isAllowed(text, from, to, context.allowed)) return undefined;
  if (single && isDecimalFraction(text, groups, first, begin, end)) return undefined;

  const brand: Brand | undefined = luhn ? brandOf(digits) : undefined;
  if (!context.panKey && !labelled) {
    if (isInsideUuid(text, from, to) || isInsideIban(text, from, to)) return undefined;
    if (single && (isInsideHex(text, from, to) || isParcelNumber(text, from, to))) return undefined;
    if (first === begin && isPhoneLike(text, from, digits.length)) return undefined;
    const other = context.other || namesAnotherNumber(text, from);
    if (other && (!brand || brand.weak)) return undefined;
  }
  if (brand) return { digits, brand: brand.brand, rule: "pan.range" };
  if (luhn) {
    if (context.panKey) return { digits, brand: undefined, rule: "pan.key" };
    const cardShaped = shape === "card";
    if (cardShaped || context.context || speaksOfCards(text, from, to, context.contextWords)) {
      return { digits, brand: undefined, rule: "pan.context" };
    }
    return undefined;
  }
  if (wholeField) return { digits, brand: undefined, rule: "pan.key" };
  return { digits, brand: undefined, rule: "pan.label" };
}

/** Whether nothing but blanks and quotes stands around the digits. */
function isWholeField(text: string, from: number, to: number): boolean {
  return !/[^\s"']/.test(text.slice(0, from)) && !/[^\s"']/.test(text.slice(to));
}

/**
 * How groups are cut: as cards are printed (`card`), in another regular way (`regular`), or like dates, phones and
 * figures of tables (`odd`). Digits one by one or two by two count as regular only where nothing else stands beside
 * them: rows of figures would be full of windows otherwise.
 */
function shapeOf(
  groups: readonly number[],
  first: number,
  last: number,
  begin: number,
  end: number,
): "card" | "regular" | "odd" {
  const count = (last - first) / 2 + 1;
  const size = (group: number) => groups[group + 1]! - groups[group]!;
  const head = size(first);
  const tail = size(last);
  let uniform = true;
  for (let group = first; group < last; group += 2) if (size(group) !== head) uniform = false;
  if (count === 3 && head === 4 && size(first + 2) === 6 && tail >= 4 && tail <= 5) return "card";
  if (uniform && head === 4) return count === 4 && tail === 4 ? "card" : tail <= 7 ? "regular" : "odd";
  if (count === 2 && head === 6 && tail >= 6) return "regular";
  if (count === 2 && head === 8 && tail === 8) return "regular";
  const whole = first === begin && last + 2 === end;
  if (uniform && whole && head <= 2 && tail <= head) return "regular";
  return "odd";
}

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
