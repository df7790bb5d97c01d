import { mayHoldBase64 } from "./base64.js";
import { isBinary } from "./binary.js";
import { mayBeCut } from "./cut-cards.js";
import { PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";
import { HAS_DISGUISE, HAS_ESCAPE, HAS_ODD } from "./json-tokens.js";
import { mayHoldTable } from "./search-tables.js";
import type { Settings } from "./settings.js";
import { mayHoldCode, mayHoldPinBlock } from "./suspect-codes.js";
import { judgeDigits, judgeNumber, MAYBE_CARD, NO_CARD } from "./suspect-digits.js";
import { beginsAsInsert, beginsAsJson, mayHoldEscaped } from "./suspect-escapes.js";
import type { TextBytes } from "./text-bytes.js";
import {
  endOfMarks,
  HAS_BLOCK,
  HAS_CODE,
  HAS_ESCAPES,
  HAS_ROW,
  HAS_WORD,
  marksBetween,
  nextMark,
} from "./text-bytes.js";

/** A verdict beside those of suspect-digits.ts: a file in base64, and else nothing. */
export const BINARY = 4;

const HYPHEN = 45;
const LETTER_E = 101;
const ZERO = 48;

/** What the tokens of a JSON text may be, by their own signs. */
export class FirstLook {
  constructor(
    private readonly text: string,
    private readonly source: TextBytes,
    private readonly settings: Settings,
  ) {}

  /** A string without its quotes, with what was seen while it was read; `named` as judgeDigits has it. */
  string(from: number, to: number, traits: number, named: boolean): number {
    if ((traits & (HAS_ODD | HAS_DISGUISE)) !== 0) return MAYBE_CARD;
    const { text, source } = this;
    const { bytes, marks } = source;
    const json = beginsAsJson(bytes[from]!);
    let first = nextMark(marks.looks, from, to);
    // A number right at the beginning is no code.
    if (first === from + 2 && isDigit(bytes[first]!)) {
      if (mayBeCut(text, bytes, from, to)) return MAYBE_CARD;
      first = nextMark(marks.looks, first + 1, to);
    }
    if (first === to && !json) return NO_CARD;
    const has = marksBetween(marks, first, to);
    const plain = !json && (has & HAS_ESCAPES) === 0;
    if (!plain) {
      if (json && (traits & HAS_ESCAPE) !== 0) return MAYBE_CARD;
      if (nextMark(marks.digits, from, to) < to && mayHoldEscaped(text, source, from, to)) return MAYBE_CARD;
    }
    let verdict = NO_CARD;
    if (plain) {
      if ((has & HAS_ROW) !== 0) {
        // What digits stand for in base64 never has two digits side by side.
        if (this.isNumber(from, to)) return judgeNumber(bytes, from, to, named);
        verdict = judgeDigits(text, source, from, to, this.settings.contextWords, named);
        if (verdict === MAYBE_CARD) return MAYBE_CARD;
      }
      if ((has & HAS_CODE) !== 0 && mayHoldCode(text, source, first, from, to)) return MAYBE_CARD;
      if (beginsAsInsert(bytes[from]!, bytes[from + 1]!) && mayHoldTable(text.slice(from, to))) {
        return MAYBE_CARD;
      }
    }
    if ((has & HAS_BLOCK) !== 0 && mayHoldPinBlock(text, source, from, to)) return MAYBE_CARD;
    if ((has & HAS_WORD) === 0) return verdict;
    if (mayHoldBase64(source, from, to)) return MAYBE_CARD;
    if (!isBinary(text, from, to)) return verdict;
    return verdict === NO_CARD && (traits & HAS_ESCAPE) === 0 ? BINARY : MAYBE_CARD;
  }

  number(start: number, end: number, named: boolean): number {
    const { bytes } = this.source;
    const { digits } = this.source.marks;
    const from = bytes[start] === HYPHEN ? start + 1 : start;
    const dot = endOfMarks(digits, from);
    if (dot === end) return end - from < PAN_DIGITS_MIN ? NO_CARD : judgeNumber(bytes, from, end, named);
    // An exponent may undo a fraction; a fraction of nothing but zeros is none.
    if ((bytes[dot]! | 32) === LETTER_E || endOfMarks(digits, dot + 1) < end) return MAYBE_CARD;
    let zeros = dot + 1;
    while (bytes[zeros] === ZERO) zeros++;
    return zeros < end ? NO_CARD : MAYBE_CARD;
  }

  /** Whether a string is nothing but the digits that a card may have. */
  private isNumber(from: number, to: number): boolean {
    const units = to - from;
    if (units < PAN_DIGITS_MIN || units > PAN_DIGITS_MAX || !isDigit(this.source.bytes[to - 1]!))
      return false;
    return endOfMarks(this.source.marks.digits, from) === to;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
