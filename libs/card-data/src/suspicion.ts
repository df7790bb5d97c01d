import { brandOfPrefix, PREFIX_DIGITS } from "./brands.js";
import { MAY_LABEL_CODE, mayEndCodeLabel } from "./code-labels.js";
import { CLASSES, ENDS_LABEL, IS_GAP } from "./byte-classes.js";
import { PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";
import { shapeOf } from "./pan-judge.js";
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

/** `words` are those of the policy that speak of cards. */
export function judgeDigits(
  text: string,
  source: TextBytes,
  from: number,
  to: number,
  words: readonly string[],
): number {
  const { rows } = source.marks;
  let verdict = NO_CARD;
  for (let mark = nextMark(rows, from, to); mark < to;) {
    const end = endOfMarks(rows, mark);
    const judged = judgeRow(text, source.bytes, mark - PAN_DIGITS_MIN + 1, end, from, to, words);
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
/** How many digits come before each group and after the last one, and their two sums (see DOUBLED). */
const counts = new Int32Array(GROUPS_MAX + 1);
const sums = new Int32Array(GROUPS_MAX + 1);
const otherSums = new Int32Array(GROUPS_MAX + 1);

/**
 * What a digit adds to the sum of ISO/IEC 7812-1 where it counts twice. Two sums are kept: in one the last digit counts
 * once, in the other twice, so that with each further digit they change places.
 */
const DOUBLED = new Uint8Array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]);

function judgeRow(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  from: number,
  to: number,
  words: readonly string[],
): number {
  let count = 0;
  let digits = 0;
  let sum = 0;
  let other = 0;
  for (let at = start; at < end; at++) {
    let digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) continue;
    const group = at;
    do {
      const doubled = sum + DOUBLED[digit]!;
      sum = other + digit;
      other = doubled;
      digit = bytes[++at]! - ZERO;
    } while (digit >= 0 && digit <= 9);
    digits += at - group;
    if (count < GROUPS_MAX) {
      groups[2 * count] = group;
      groups[2 * count + 1] = at;
      counts[count + 1] = digits;
      sums[count + 1] = sum;
      otherSums[count + 1] = other;
    }
    count++;
  }
  if (digits < PAN_DIGITS_MIN) return NO_CARD;
  if (count > GROUPS_MAX || (end < to && mayFollowCardOfTrack(bytes[end]!))) return MAYBE_CARD;
  if (mayFollowCardLabel(text, bytes, groups[0]!, from)) return MAYBE_CARD;
  if (count === 1 && digits === to - from) return judgeNumber(bytes, from, to);
  let verdict = CARD_BY_NAME;
  for (let first = 0; first < count; first++) {
    for (let last = first; last < count; last++) {
      const total = counts[last + 1]! - counts[first]!;
      if (total > PAN_DIGITS_MAX) break;
      if (total < PAN_DIGITS_MIN) continue;
      const before = (total & 1) === 0 ? sums[first]! : otherSums[first]!;
      if ((sums[last + 1]! - before) % 10 !== 0) continue;
      if (!needsContext(text, 2 * first, 2 * last, from, to, words)) return MAYBE_CARD;
      verdict = CARD_BY_CONTEXT;
    }
  }
  return verdict;
}

/** Whether groups with a valid check digit are a card only if the names around the text say so. */
function needsContext(
  text: string,
  first: number,
  last: number,
  from: number,
  to: number,
  words: readonly string[],
): boolean {
  if (first === last || shapeOf(groups, first, last, first, last + 2) !== "odd") return false;
  return !speaksOfCards(text.slice(from, to), groups[first]! - from, groups[last + 1]! - from, words);
}

/** What twelve digits or more that stand alone may be. */
export function judgeNumber(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > PAN_DIGITS_MAX) return CARD_BY_NAME;
  let sum = 0;
  let other = 0;
  let prefix = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    const doubled = sum + DOUBLED[digit]!;
    sum = other + digit;
    other = doubled;
    if (at - from < PREFIX_DIGITS) prefix = prefix * 10 + digit;
  }
  if (sum % 10 !== 0) return CARD_BY_NAME;
  return brandOfPrefix(prefix, to - from) ? MAYBE_CARD : CARD_BY_CONTEXT;
}

const ZERO = 48;

/** `^` and `=` of tracks, `D` of EMV's tag 57. */
function mayFollowCardOfTrack(code: number): boolean {
  return code === 94 || code === 61 || code === 68 || code === 100;
}

const LABEL_GAP_MAX = 16;
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

/** The last place before `at` that holds no sign of a gap; before `from` where there is none. */
function beforeGap(bytes: Uint8Array, at: number, from: number): number {
  let before = at - 1;
  const limit = Math.max(from, at - LABEL_GAP_MAX);
  while (before >= limit && (CLASSES[bytes[before]!]! & IS_GAP) !== 0) before--;
  return before;
}

const CODE_DIGITS_MIN = 3;
const CODE_DIGITS_MAX = 6;
const CODE_LABEL_UNITS = 64;
/** Whether a number of a code's length stands, behind `first`, after what may be the label of one. */
export function mayHoldCode(
  text: string,
  { bytes, marks }: TextBytes,
  first: number,
  from: number,
  to: number,
): boolean {
  const { codes } = marks;
  for (let third = nextMark(codes, first, to); third < to; third = nextMark(codes, third + 1, to)) {
    const start = third - CODE_DIGITS_MIN + 1;
    if (start <= from || (CLASSES[bytes[start - 2]!]! & (IS_GAP | ENDS_LABEL)) === 0) continue;
    if (!mayFollowCodeLabel(bytes, start, from)) continue;
    let end = third + 1;
    while (end < to && isDigit(bytes[end]!)) end++;
    if (end - start > CODE_DIGITS_MAX) continue;
    if (MAY_LABEL_CODE.test(text.slice(Math.max(from, start - CODE_LABEL_UNITS), start))) return true;
  }
  return false;
}

/** Whether what may be the label of a code ends before `at`. */
function mayFollowCodeLabel(bytes: Uint8Array, at: number, from: number): boolean {
  const last = beforeGap(bytes, at, from);
  if (last <= from || last === at - 1) return false;
  return mayEndCodeLabel(bytes[last - 2] ?? 0, bytes[last - 1]!, bytes[last]!);
}

const PIN_BLOCK_UNITS = 16;
const PIN_BLOCK_LABEL = /bl(?:oc)?k|epb|pin/i;

/** Whether sixteen hexadecimal signs stand behind something, and a PIN block is spoken of. */
export function mayHoldPinBlock(text: string, { marks }: TextBytes, from: number, to: number): boolean {
  const last = nextMark(marks.blocks, from + PIN_BLOCK_UNITS, to);
  return last < to && PIN_BLOCK_LABEL.test(text.slice(from, to));
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
