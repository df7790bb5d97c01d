import { CLASS_OF, ODD } from "./digits.js";
import type { Mark, Marking } from "./marking.js";
import { BLOCK_BYTES, createMarking, MARKS } from "./marking.js";

/**
 * A text with one byte to a UTF-16 code unit, so that offsets are those of the text and every loop over it is one over
 * bytes. ASCII is itself, but for DEL; other units are bytes from 0x80, and those that folding may turn into something else are ODD
 * (see digits.ts). Zeros follow the text, so that who reads on finds a control character.
 */
export interface TextBytes {
  readonly bytes: Buffer;
  /** The same bytes, for reading four at once. */
  readonly view: DataView;
  length: number;
  readonly marks: Readonly<Record<Mark, Int32Array>>;
  readonly marking: Marking;
}

const ODD_BYTE = 0xa0;
const OTHER_BYTE = 0x80;

/** Memory for so many bytes is kept between uses; longer texts get memory of their own. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
const KEPT_BYTES_MIN = 64 * 1024;
let kept: TextBytes | undefined;

// oxlint-disable-next-line no-control-regex -- Latin-1 begins with them.
const NOT_LATIN_1 = /[^\u0000-\u00ff]/;

/** The bytes of a text, marked. They are given back with `returnBytes`. */
export function borrowBytes(text: string): TextBytes {
  const needed = text.length + BLOCK_BYTES;
  let loan = kept;
  kept = undefined;
  if (!loan || loan.bytes.length < needed) loan = allocate(needed);
  loan.length = text.length;
  if (NOT_LATIN_1.test(text) || text.includes("\x7f")) narrow(text, loan.bytes);
  else loan.bytes.write(text, 0, "latin1");
  const { length } = loan.bytes;
  loan.marking.mark(needed - (needed % BLOCK_BYTES), length, length / 8);
  return loan;
}

/** Wipes the bytes, which may hold card data, and keeps the memory for the next text. */
export function returnBytes(loan: TextBytes): void {
  loan.bytes.fill(0, 0, loan.length);
  if (loan.bytes.length <= KEPT_BYTES_MAX) kept = loan;
}

/** The text's bytes come first, then one set of marks behind the other. */
function allocate(needed: number): TextBytes {
  let length = KEPT_BYTES_MIN;
  while (length < needed) length *= 2;
  const markBytes = length / 8;
  const { buffer, functions } = createMarking(length + MARKS.length * markBytes);
  const marks = Object.fromEntries(
    MARKS.map((mark, i) => [mark, new Int32Array(buffer, length + i * markBytes, markBytes / 4)]),
  ) as Record<Mark, Int32Array>;
  const bytes = Buffer.from(buffer, 0, length);
  return { bytes, view: new DataView(buffer, 0, length), length: 0, marks, marking: functions };
}

/**
 * The first marked byte from `from` on; `to` where there is none before. The first 32 bits are put together from two
 * words: most strings are shorter, and a processor that must guess whether they lie in one word guesses wrong.
 */
export function nextMark(marks: Int32Array, from: number, to: number): number {
  let word = from >>> 5;
  let bits = (marks[word]! >>> from) | ((marks[word + 1]! << 1) << ~from);
  let at = from;
  if (bits === 0) {
    const last = (to - 1) >> 5;
    do if (++word > last) return to;
    while ((bits = marks[word]!) === 0);
    at = word << 5;
  }
  at += lowestOf(bits);
  // Math.min of what may be any number counts in floating point, which takes longer than all the rest.
  return at < to ? at : to;
}

/** Which of the marks that call for a look lie in a stretch: a set of bits. */
export const HAS_ROW = 1;
export const HAS_WORD = 2;
export const HAS_CODE = 4;
export const HAS_BLOCK = 8;
export const HAS_ESCAPES = 16;

/** The marks from `from` on and before `to`, all of them at once, and for short stretches without a branch. */
export function marksBetween(marks: TextBytes["marks"], from: number, to: number): number {
  const { rows, words, codes, blocks, escapes } = marks;
  if (from === to) return 0;
  if (to - from <= 32) {
    const word = from >>> 5;
    const mask = -1 >>> (from - to);
    return (
      one(funnel(rows, word, from) & mask) |
      (one(funnel(words, word, from) & mask) << 1) |
      (one(funnel(codes, word, from) & mask) << 2) |
      (one(funnel(blocks, word, from) & mask) << 3) |
      (one(funnel(escapes, word, from) & mask) << 4)
    );
  }
  const last = (to - 1) >>> 5;
  let mask = -1 << from;
  let [row, wordy, code, block, escape] = [0, 0, 0, 0, 0];
  for (let word = from >>> 5; word <= last; word++) {
    if (word === last) mask &= -1 >>> -to;
    row |= rows[word]! & mask;
    wordy |= words[word]! & mask;
    code |= codes[word]! & mask;
    block |= blocks[word]! & mask;
    escape |= escapes[word]! & mask;
    mask = -1;
  }
  return one(row) | (one(wordy) << 1) | (one(code) << 2) | (one(block) << 3) | (one(escape) << 4);
}

/** Thirty-two bits from a byte on. */
function funnel(marks: Int32Array, word: number, from: number): number {
  return (marks[word]! >>> from) | ((marks[word + 1]! << 1) << ~from);
}

/** One for what is not zero. */
function one(bits: number): number {
  return (bits | -bits) >>> 31;
}

/** The first byte from `from` on that is not marked; behind every text there is one. */
export function endOfMarks(marks: Int32Array, from: number): number {
  let word = from >>> 5;
  let bits = (~marks[word]! >>> from) | ((~marks[word + 1]! << 1) << ~from);
  let at = from;
  while (bits === 0) {
    bits = ~marks[++word]!;
    at = word << 5;
  }
  return at + lowestOf(bits);
}

function lowestOf(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

const PIECE_UNITS = 8192;
const pieceBytes = Buffer.alloc(PIECE_UNITS * 2);
const piece = new Uint16Array(pieceBytes.buffer, pieceBytes.byteOffset, PIECE_UNITS);

/** The bytes of a text outside Latin-1. */
function narrow(text: string, bytes: Buffer): void {
  for (let from = 0; from < text.length; from += PIECE_UNITS) {
    const units = Math.min(PIECE_UNITS, text.length - from);
    pieceBytes.write(text.slice(from, from + units), 0, "utf16le");
    for (let i = 0; i < units; i++) {
      const unit = piece[i]!;
      bytes[from + i] = unit < 0x7f ? unit : CLASS_OF[unit] === ODD ? ODD_BYTE : OTHER_BYTE;
    }
  }
  piece.fill(0);
}
