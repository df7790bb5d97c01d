import {
  CLASSES,
  IS_BASE64,
  IS_DIGIT,
  IS_GAP,
  IS_HEX,
  IS_JOINED,
  IS_LETTER,
  nextRun,
  runEnd,
} from "./byte-runs.js";
import { PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./pan.js";

/**
 * Quick looks at text that has no escapes and nothing outside ASCII that folds. Each says yes too often and never no
 * wrongly: what the detectors would find, it lets them see.
 */

/** What the digits of a text may be. */
export const NO_CARD = 0;
/** They are enough, but a card only in a field that is named for one. */
export const CARD_BY_NAME = 1;
export const MAYBE_CARD = 2;

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

/** The check digit of the digits between the offsets, whatever stands between them. */
export function passesLuhn(bytes: Uint8Array, from: number, to: number): boolean {
  let sum = 0;
  let double = false;
  for (let at = to - 1; at >= from; at--) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) continue;
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
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

/** Whether a label such as `card number: ` may stand before the digits; every one of them ends in one of these. */
function mayFollowCardLabel(text: string, bytes: Uint8Array, at: number, from: number): boolean {
  const before = beforeGap(bytes, at, from);
  if (before < from || before === at - 1) return false;
  switch (bytes[before]! | 32) {
    case 99: // cC#
    case 100: // carD#
    case 109: // nuM
    case 110: // paN
    case 111: // nO
    case 114: // numbeR, nR
    case 115: // iS
      return CARD_LABEL.test(text.slice(Math.max(from, at - CARD_LABEL_UNITS), at));
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
    const end = runEnd(bytes, IS_DIGIT, probe, to);
    if (
      end - start >= CODE_DIGITS_MIN &&
      end - start <= CODE_DIGITS_MAX &&
      mayFollowCodeLabel(bytes, start, from) &&
      CODE_LABEL.test(text.slice(Math.max(from, start - CODE_LABEL_UNITS), start))
    ) {
      return true;
    }
    probe = end;
  }
  return false;
}

function mayFollowCodeLabel(bytes: Uint8Array, at: number, from: number): boolean {
  const before = beforeGap(bytes, at, from);
  if (before < from || before === at - 1) return false;
  switch (bytes[before]! | 32) {
    case 118: // cvV
    case 99: // cvC
    case 110: // cvN, piN
    case 100: // ciD, cvD
    case 101: // codE, valuE
    case 114: // numbeR
    case 111: // nO
    case 115: // iS, waS
      return true;
    case 50: // cvv2, cvc2
      return before > from && (CLASSES[bytes[before - 1]!]! & IS_LETTER) !== 0;
    default:
      return false;
  }
}

const PIN_BLOCK_UNITS = 16;
const PIN_BLOCK_LABEL = /bl(?:oc)?k|epb|pin/i;

/** Whether sixteen hexadecimal signs stand behind something, and a PIN block is spoken of. */
export function mayHoldPinBlock(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  let start = nextRun(bytes, IS_BASE64, PIN_BLOCK_UNITS, from, to);
  while (start >= 0) {
    const end = runEnd(bytes, IS_BASE64, start, to);
    let hex = start > from;
    for (let at = start; at + PIN_BLOCK_UNITS <= end; at++) {
      if (hex && runEnd(bytes, IS_HEX, at, at + PIN_BLOCK_UNITS) === at + PIN_BLOCK_UNITS) {
        return PIN_BLOCK_LABEL.test(text.slice(from, to));
      }
      hex = bytes[at] === HYPHEN;
    }
    start = nextRun(bytes, IS_BASE64, PIN_BLOCK_UNITS, end + 1, to);
  }
  return false;
}

const HYPHEN = 45;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
