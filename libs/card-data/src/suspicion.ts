import { CLASSES, IS_BASE64, IS_GAP, IS_HEX, IS_JOINED, nextRun, runEnd } from "./byte-runs.js";
import { brandOf } from "./brands.js";
import { PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";

/**
 * Quick looks at text that has no escapes and nothing outside ASCII that folds. Each says yes too often and never no
 * wrongly: what the detectors would find, it lets them see.
 */

/** What the digits of a text may be. */
export const NO_CARD = 0;
/** They are enough, but a card only in a field that is named for one. */
export const CARD_BY_NAME = 1;
/** They are one number with a valid check digit and nothing beside it: a card if the names around it speak of cards. */
export const CARD_BY_CONTEXT = 2;
export const MAYBE_CARD = 3;

export function judgeDigits(text: string, bytes: Uint8Array, from: number, to: number): number {
  let verdict = NO_CARD;
  let start = nextRun(bytes, IS_JOINED, PAN_DIGITS_MIN, from, to);
  while (start >= 0) {
    const end = runEnd(bytes, IS_JOINED, start, to);
    const judged = judgeRun(text, bytes, start, end, from, to);
    if (judged === MAYBE_CARD) return MAYBE_CARD;
    if (judged > verdict) verdict = judged;
    start = nextRun(bytes, IS_JOINED, PAN_DIGITS_MIN, end + 1, to);
  }
  return verdict;
}

/** More groups are seldom, and the detectors know better how to tell them apart. */
const GROUPS_MAX = 8;
const groups = new Int32Array(2 * GROUPS_MAX);

function judgeRun(
  text: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  from: number,
  to: number,
): number {
  let count = 0;
  let digits = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at]!)) continue;
    const group = at;
    do at++;
    while (at < end && isDigit(bytes[at]!));
    digits += at - group;
    if (count < GROUPS_MAX) {
      groups[2 * count] = group;
      groups[2 * count + 1] = at;
    }
    count++;
  }
  if (digits < PAN_DIGITS_MIN) return NO_CARD;
  if (count > GROUPS_MAX || (end < to && mayFollowCardOfTrack(bytes[end]!))) return MAYBE_CARD;
  if (mayFollowCardLabel(text, bytes, groups[0]!, from)) return MAYBE_CARD;
  if (count === 1 && digits === to - from) return judgeNumber(text, bytes, from, to);
  for (let first = 0; first < count; first++) {
    let total = 0;
    for (let last = first; last < count; last++) {
      total += groups[2 * last + 1]! - groups[2 * last]!;
      if (total > PAN_DIGITS_MAX) break;
      if (total < PAN_DIGITS_MIN) continue;
      if (passesLuhn(bytes, groups[2 * first]!, groups[2 * last + 1]!)) return MAYBE_CARD;
    }
  }
  return CARD_BY_NAME;
}

/** What twelve digits or more that stand alone may be. */
export function judgeNumber(text: string, bytes: Uint8Array, from: number, to: number): number {
  if (to - from > PAN_DIGITS_MAX || !passesLuhn(bytes, from, to)) return CARD_BY_NAME;
  return brandOf(text.slice(from, to)) ? MAYBE_CARD : CARD_BY_CONTEXT;
}

/** What a digit adds to the sum, where it counts twice. */
const DOUBLED = new Uint8Array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]);

/** The check digit of the digits between the offsets, whatever stands between them. */
function passesLuhn(bytes: Uint8Array, from: number, to: number): boolean {
  let sum = 0;
  let double = false;
  for (let at = to - 1; at >= from; at--) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) continue;
    sum += double ? DOUBLED[digit]! : digit;
    double = !double;
  }
  return sum % 10 === 0;
}

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
const CODE_LABEL_UNITS = 48;
/** Every label of a code or a PIN has one of these in it (see sensitive.ts). */
const CODE_LABEL = /cv[vcnd]|cav2|csc|cid|code|value|number|pin/i;

/** Whether a number of a code's length stands behind what may be the label of one. */
export function mayHoldCode(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  for (let probe = from + CODE_DIGITS_MIN - 1; probe < to; probe += CODE_DIGITS_MIN) {
    if (!isDigit(bytes[probe]!)) continue;
    let start = probe;
    while (start > from && isDigit(bytes[start - 1]!)) start--;
    let end = probe + 1;
    while (end < to && isDigit(bytes[end]!)) end++;
    if (
      end - start >= CODE_DIGITS_MIN &&
      mayBeCode(bytes, start, end, from) &&
      CODE_LABEL.test(text.slice(Math.max(from, start - CODE_LABEL_UNITS), start))
    ) {
      return true;
    }
    probe = end;
  }
  return false;
}

function mayBeCode(bytes: Uint8Array, start: number, end: number, from: number): boolean {
  return end - start <= CODE_DIGITS_MAX && start > from && mayFollowCodeLabel(bytes, start, from);
}

/** Whether what may be the label of a code ends before `at`. */
export function mayFollowCodeLabel(bytes: Uint8Array, at: number, from: number): boolean {
  const last = beforeGap(bytes, at, from);
  if (last <= from || last === at - 1) return false;
  const before = bytes[last - 1]! | 32;
  switch (bytes[last]! | 32) {
    case 0x76: // cVV
      return before === 0x76;
    case 0x63: // cVC, cSC
      return before === 0x76 || before === 0x73;
    case 0x6e: // cVN, pIN
      return before === 0x76 || before === 0x69;
    case 0x64: // cVD, cID
      return before === 0x76 || before === 0x69;
    case 0x65: // coDE, valUE
      return before === 0x64 || before === 0x75;
    case 0x72: // numbER
      return before === 0x65;
    case 0x6f: // NO
      return before === 0x6e;
    case 0x73: // IS, wAS
      return before === 0x69 || before === 0x61;
    case 0x32: // cvV2, cvC2, caV2
      return before === 0x76 || before === 0x63;
    default:
      return false;
  }
}

const PIN_BLOCK_UNITS = 16;
const PIN_BLOCK_LABEL = /bl(?:oc)?k|epb|pin/i;

/** Whether sixteen hexadecimal signs stand behind something, and a PIN block is spoken of. */
export function mayHoldPinBlock(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  let start = nextRun(bytes, IS_HEX, PIN_BLOCK_UNITS, from, to);
  while (start >= 0) {
    const before = start > from ? bytes[start - 1]! : LETTER;
    if ((CLASSES[before]! & IS_BASE64) === 0 || before === HYPHEN) {
      return PIN_BLOCK_LABEL.test(text.slice(from, to));
    }
    start = nextRun(bytes, IS_HEX, PIN_BLOCK_UNITS, runEnd(bytes, IS_HEX, start, to) + 1, to);
  }
  return false;
}

const HYPHEN = 45;
const LETTER = 65;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
