import { brandOfPrefix, mayHaveBrand, PREFIX_DIGITS } from "./brands.js";
import { beforeGap } from "./byte-classes.js";
import { PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";
import { shapeOf } from "./pan-judge.js";
import { maySpeakOfCards } from "./suspect-words.js";
import { speaksOfCards } from "./surroundings.js";
import type { TextBytes } from "./text-bytes.js";
import { endOfMarks, nextMark } from "./text-bytes.js";

/**
 * Quick looks at text that has no escapes and nothing outside ASCII that folds. Each says yes too often and never no
 * wrongly: what the detectors would find, it lets them see.
 */

/** What the digits of a text may be. */
export const NO_CARD = 0;
/** They are enough, but a card only in a field that is named for one. */
export const CARD_BY_NAME = 1;
/** They have a valid check digit and no brand, or are cut as no card is: a card if the names around speak of cards. */
export const CARD_BY_CONTEXT = 2;
export const MAYBE_CARD = 3;

/**
 * `words` are those of the policy that speak of cards. Where the names around are known to say nothing of cards, `named`
 * is false, and what only they could make a card is CARD_BY_NAME: few numbers are left whose check digit counts.
 */
export function judgeDigits(
  text: string,
  source: TextBytes,
  from: number,
  to: number,
  words: readonly string[],
  named: boolean,
): number {
  const { rows } = source.marks;
  let verdict = NO_CARD;
  for (let mark = nextMark(rows, from, to); mark < to;) {
    const end = endOfMarks(rows, mark);
    const judged = judgeRow(text, source.bytes, mark - PAN_DIGITS_MIN + 1, end, from, to, words, named);
    if (judged === MAYBE_CARD) return MAYBE_CARD;
    if (judged > verdict) verdict = judged;
    mark = nextMark(rows, end, to);
  }
  return verdict;
}

/** More groups are seldom, and the detectors know better how to tell them apart. */
const GROUPS_MAX = 8;
/** The offsets of each group, as pairs. */
const groups = new Int32Array(2 * GROUPS_MAX);
/** How many digits come before each group and after the last one. */
const counts = new Int32Array(GROUPS_MAX + 1);

function judgeRow(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  from: number,
  to: number,
  words: readonly string[],
  named: boolean,
): number {
  let count = 0;
  let digits = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at]!)) continue;
    const group = at;
    do at++;
    while (isDigit(bytes[at]!));
    digits += at - group;
    if (count < GROUPS_MAX) {
      groups[2 * count] = group;
      groups[2 * count + 1] = at;
      counts[count + 1] = digits;
    }
    count++;
  }
  if (digits < PAN_DIGITS_MIN) return NO_CARD;
  if (count > GROUPS_MAX || (end < to && mayFollowCardOfTrack(bytes[end]!))) return MAYBE_CARD;
  if (mayFollowCardLabel(text, bytes, groups[0]!, from)) return MAYBE_CARD;
  if (count === 1 && digits === to - from) return judgeNumber(bytes, from, to, named);
  let verdict = CARD_BY_NAME;
  for (let first = 0; first < count && digits - counts[first]! >= PAN_DIGITS_MIN; first++) {
    for (let last = first; last < count; last++) {
      const total = counts[last + 1]! - counts[first]!;
      if (total > PAN_DIGITS_MAX) break;
      if (total < PAN_DIGITS_MIN) continue;
      const begin = groups[2 * first]!;
      const stop = groups[2 * last + 1]!;
      const odd = isOdd(2 * first, 2 * last);
      if (odd && !named && !maySpeak(bytes, begin, stop, from, to, words)) continue;
      if (!passesLuhn(bytes, begin, stop)) continue;
      if (!odd || speaks(text, bytes, begin, stop, from, to, words)) return MAYBE_CARD;
      verdict = CARD_BY_CONTEXT;
    }
  }
  return verdict;
}

/** Whether groups are cut as no card is, so that only words or names make one of them. */
function isOdd(first: number, last: number): boolean {
  return first !== last && shapeOf(groups, first, last, first, last + 2) === "odd";
}

function maySpeak(
  bytes: Uint8Array,
  begin: number,
  stop: number,
  from: number,
  to: number,
  words: readonly string[],
): boolean {
  return words.length > 0 || maySpeakOfCards(bytes, begin, stop, from, to);
}

/** Whether what stands in the text beside the groups speaks of cards. */
function speaks(
  text: string,
  bytes: Uint8Array,
  begin: number,
  stop: number,
  from: number,
  to: number,
  words: readonly string[],
): boolean {
  if (!maySpeak(bytes, begin, stop, from, to, words)) return false;
  return speaksOfCards(text.slice(from, to), begin - from, stop - from, words);
}

/** What twelve digits or more that stand alone may be; `named` as above. */
export function judgeNumber(bytes: Uint8Array, from: number, to: number, named: boolean): number {
  const units = to - from;
  if (units > PAN_DIGITS_MAX) return CARD_BY_NAME;
  if (!named && !mayHaveBrand(10 * (bytes[from]! - ZERO) + bytes[from + 1]! - ZERO, units))
    return CARD_BY_NAME;
  if (!passesLuhn(bytes, from, to)) return CARD_BY_NAME;
  let prefix = 0;
  for (let at = from; at < from + PREFIX_DIGITS; at++) prefix = prefix * 10 + bytes[at]! - ZERO;
  return brandOfPrefix(prefix, units) ? MAYBE_CARD : CARD_BY_CONTEXT;
}

/** What a byte adds to the sum of ISO/IEC 7812-1 if it is a digit: once where it counts once, then where it counts twice. */
const ADDS = new Uint8Array(512);
for (let digit = 0; digit < 10; digit++) {
  ADDS[0x30 + digit] = digit;
  ADDS[0x130 + digit] = digit > 4 ? 2 * digit - 9 : 2 * digit;
}

/** Whether the check digit holds of a number whose digits may have other signs between them. */
function passesLuhn(bytes: Uint8Array, from: number, to: number): boolean {
  let sum = 0;
  let twice = 0;
  for (let at = to - 1; at >= from; at--) {
    const byte = bytes[at]!;
    sum += ADDS[twice + byte]!;
    if (isDigit(byte)) twice ^= 0x100;
  }
  return sum % 10 === 0;
}

const ZERO = 48;

/** `^` and `=` of tracks, `D` of EMV's tag 57. */
function mayFollowCardOfTrack(code: number): boolean {
  return code === 94 || code === 61 || code === 68 || code === 100;
}

const CARD_LABEL_UNITS = 40;
/** Every label of a card number has one of these in it (see surroundings.ts). */
const CARD_LABEL = /card|cc|pan|account/i;

/** Whether a label such as `card number: ` may stand before the digits. */
function mayFollowCardLabel(text: string, bytes: Uint8Array, at: number, from: number): boolean {
  const before = beforeGap(bytes, at, from);
  if (before <= from || before === at - 1 || !endsCardLabel(bytes, before)) return false;
  return CARD_LABEL.test(text.slice(Math.max(from, at - CARD_LABEL_UNITS), at));
}

/** Whether what ends at `last` ends as labels do, or as the words between them and a number. */
function endsCardLabel(bytes: Uint8Array, last: number): boolean {
  const before = bytes[last - 1]! | 32;
  switch (bytes[last]! | 32) {
    case 0x6d: // nUM
      return before === 0x75;
    case 0x6e: // pAN
      return before === 0x61;
    case 0x6f: // NO
      return before === 0x6e;
    case 0x72: // numbER, NR
      return before === 0x65 || before === 0x6e;
    case 0x73: // IS
      return before === 0x69;
    case 0x63: // cC#
    case 0x64: // caRD-#
      return bytes[last + 1] === 0x23 || bytes[last + 2] === 0x23;
    case 0x7f: // card_#
      return bytes[last + 1] === 0x23;
    default:
      return false;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
