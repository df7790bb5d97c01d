import { isAllowed } from "./allowed.js";
import { brandOf } from "./brands.js";
import { PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";
import { passesLuhn } from "./luhn.js";
import type { PanMatch } from "./pan.js";
import { SHOWN_FIRST, SHOWN_LAST } from "./pan.js";
import type { PanContext } from "./pan-judge.js";
import { speaksOfCards, speaksOfPaying } from "./surroundings.js";

const GAP_UNITS_MAX = 6;
/** What may stand between groups of one card besides what joins digits: line breaks, quoted or not, and punctuation. */
const GAP =
  /^(?:[ \t]*\r?\n[ \t>]*|[ \t]*[,;:|)][ \t]*\(?|[ \t]+|\.{2,3} ?|… ?| ?\p{Extended_Pictographic}\ufe0f? ?)$/u;
/** Gaps that seldom stand between numbers of other kinds, where the groups are a card's. */
const TELLING_GAP = /^(?:\s*\n[\s>]*|\t|[:|]|\) ?\(|\.{2,3} ?|… ?)$|\p{Extended_Pictographic}/u;
/** The sizes of the groups in which cards are printed, and halves over two lines. */
const PRINTED = /^4,(?:4,4,(?:4,)?[1-4]|6,[45])$/;
const SHAPE = /^(?:4,4,[45]|4,4,4,[1-7]|4,4,4,4,[1-3]|4,6,[45]|8,(?:[6-9]|1[01]))$/;

/**
 * Cards whose groups stand in a column, in quoted lines, in a list or in brackets. Nothing but a whole run of groups
 * with one kind of gap counts, cut as cards are, of a known brand and with its check digit: figures stand so, too.
 */
export function findCutPans(text: string, groups: readonly number[], context: PanContext): PanMatch[] {
  const found: PanMatch[] = [];
  for (let first = 0; first + 2 < groups.length;) {
    const last = endOfRun(text, groups, first);
    if (last > first) {
      const match = judgeRun(text, groups, first, last, context);
      if (match) found.push(match);
    }
    first = Math.max(last, first + 2);
  }
  return found;
}

/** The last group that follows with the same kind of gap; the first itself where there is none. */
function endOfRun(text: string, groups: readonly number[], first: number): number {
  const kind = gapBehind(text, groups, first);
  if (kind === undefined) return first;
  let last = first + 2;
  while (gapBehind(text, groups, last) === kind) last += 2;
  // Four groups over two lines.
  const wrapped = kind === BLANK && last === first + 2 && gapBehind(text, groups, last) === LINE;
  if (wrapped && gapBehind(text, groups, last + 2) === BLANK) return last + 4;
  return last;
}

const BLANK = " ";
const LINE = "\n";

/** What stands between a group and the next one, line breaks and blanks each as one kind; nothing where it is no gap. */
function gapBehind(text: string, groups: readonly number[], group: number): string | undefined {
  const from = groups[group + 1]!;
  const to = groups[group + 2];
  if (to === undefined || to - from > GAP_UNITS_MAX) return undefined;
  const gap = text.slice(from, to);
  if (!GAP.test(gap)) return undefined;
  if (gap.includes(LINE)) return LINE;
  return gap.trim() === "" && !gap.includes("\t") ? BLANK : gap;
}

function judgeRun(
  text: string,
  groups: readonly number[],
  first: number,
  last: number,
  { context, contextWords, allowed, other }: PanContext,
): PanMatch | undefined {
  const sizes: number[] = [];
  let digits = "";
  let telling = false;
  for (let group = first; group <= last; group += 2) {
    if (group > first) telling ||= TELLING_GAP.test(text.slice(groups[group - 1], groups[group]));
    digits += text.slice(groups[group], groups[group + 1]);
    sizes.push(groups[group + 1]! - groups[group]!);
    if (digits.length > PAN_DIGITS_MAX) return undefined;
  }
  if (digits.length < PAN_DIGITS_MIN || !SHAPE.test(sizes.join(",")) || !passesLuhn(digits)) return undefined;
  const brand = brandOf(digits);
  if (!brand || other) return undefined;
  const from = groups[first]!;
  const to = groups[last + 1]!;
  // Rows of a table of figures stand one below the other.
  const inRows =
    gapBehind(text, groups, last) === LINE || (first > 0 && gapBehind(text, groups, first - 2) === LINE);
  const told = context || speaksOfCards(text, from, to, contextWords) || speaksOfPaying(text, from, to);
  const asPrinted = PRINTED.test(sizes.join(","));
  if (!told && (brand.weak || sizes.length < 3 || (!telling && (!asPrinted || inRows)))) return undefined;
  if (isAllowed(text, from, to, allowed)) return undefined;
  return {
    from,
    to,
    showFirst: SHOWN_FIRST,
    showLast: SHOWN_LAST,
    readings: [{ digits, brand: brand.brand, rule: "pan.cut" }],
  };
}

/** Groups that stand as in a cut card; the first may be missing, as it may be stuck to a word. */
const MAY_BE_CUT =
  /^(?:\d{4}[^\w*]{1,6}\d{4}[^\w*]{1,6}\d{4}|\d{4}[^\w*]{1,6}\d{6}[^\w*]{1,6}\d{4}|\d{6}[^\w*]{1,6}\d{4,5}(?!\d)|\d{8}[^\w*]{1,6}\d{6})/;
const MAY_STAND_CUT = new RegExp(MAY_BE_CUT.source.slice(1));
const MAY_BE_CUT_UNITS = 30;
/** The sizes of groups that are followed by others. */
const GROUP_SIZES = [4, 6, 8];
const ENDS_GROUP = new Uint8Array(256);
for (const sign of "\t\n\r,;:|). ") ENDS_GROUP[sign.charCodeAt(0)] = 1;

/** Whether such groups stand anywhere in a text. */
export function mayHoldCutCard(text: string): boolean {
  return MAY_STAND_CUT.test(text);
}

/** Whether the digits at an offset may be a group of such a card; `bytes` are the text's. */
export function mayBeCut(text: string, bytes: Uint8Array, start: number, to: number): boolean {
  for (const size of GROUP_SIZES) {
    const end = start + size;
    if (ENDS_GROUP[bytes[end]!] === 1)
      return end < to && MAY_BE_CUT.test(text.slice(start, start + MAY_BE_CUT_UNITS));
  }
  return false;
}
