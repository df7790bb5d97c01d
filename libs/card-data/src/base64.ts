import { nextPlainRun, plainRunEnd } from "./byte-classes.js";
import type { TextBytes } from "./text-bytes.js";
import { borrowBytes, endOfMarks, nextMark, returnBytes } from "./text-bytes.js";

/** A run of base64 text: where it lies, and what it says. */
export interface Base64Run {
  start: number;
  end: number;
  decoded: string;
  /** Whether the bytes are UTF-8 text. Other bytes come as Latin-1, one code unit each. */
  text: boolean;
  /** The run that says `changed` instead; quartets whose bytes are the same stay as they are written. */
  encode(changed: string): string;
}

/** Twelve digits, the shortest card, take sixteen signs. */
const BASE64_RUN_MIN = 16;

/** Six-bit value of a sign of base64 or base64url. */
const SEXTET = new Uint8Array(256);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
for (let i = 0; i < ALPHABET.length; i++) SEXTET[ALPHABET.charCodeAt(i)] = i;
SEXTET["-".charCodeAt(0)] = 62;
SEXTET["_".charCodeAt(0)] = 63;

/** Whether a text has a run of base64 between the offsets that is worth a look. */
export function mayHoldBase64(source: TextBytes, from: number, to: number): boolean {
  const { words } = source.marks;
  for (let mark = nextMark(words, from, to); mark < to;) {
    const start = mark - BASE64_RUN_MIN + 1;
    const stop = endOfMarks(words, mark);
    if (!isUuid(source.bytes, start, stop) && isWorthDecoding(source, start, stop)) return true;
    // Behind a backslash the first letter may be that of an escape.
    const escaped = start > from && source.bytes[start - 1] === BACKSLASH;
    if (escaped && isWorthDecoding(source, start + 1, stop)) return true;
    mark = nextMark(words, stop, to);
  }
  return false;
}

const BACKSLASH = 92;

const UUID_UNITS = 36;

/**
 * Whether a run has the hyphens of a UUID. Then it is not worth decoding: in base64url they make bytes of which none is
 * in ASCII, the first of them none of UTF-8 either, and what stands between them is too short for a card.
 */
function isUuid(bytes: Uint8Array, start: number, stop: number): boolean {
  return (
    stop - start === UUID_UNITS &&
    bytes[start + 8] === HYPHEN &&
    bytes[start + 13] === HYPHEN &&
    bytes[start + 18] === HYPHEN &&
    bytes[start + 23] === HYPHEN
  );
}

const HYPHEN = 45;

/** Whether the run between the offsets is worth a look. */
function isWorthDecoding(source: TextBytes, start: number, stop: number): boolean {
  const end = wholeBytes(start, stop);
  return isPlausible(source, start, end) || nextPlainPart(source, start, start, end) >= 0;
}

/** Runs of base64 in `text` that are worth a look: they decode to mostly ASCII, or hold three encoded digits in a row. */
export function base64Runs(text: string): Base64Run[] {
  const source = borrowBytes(text);
  try {
    return decodeRuns(text, source);
  } finally {
    returnBytes(source);
  }
}

function decodeRuns(text: string, source: TextBytes): Base64Run[] {
  const runs: Base64Run[] = [];
  const { words } = source.marks;
  const { length } = text;
  for (let mark = nextMark(words, 0, length); mark < length;) {
    const start = mark - BASE64_RUN_MIN + 1;
    const stop = endOfMarks(words, mark);
    const end = wholeBytes(start, stop);
    const whole = isPlausible(source, start, end) ? decodeRun(text, start, end) : undefined;
    if (whole?.text) runs.push(whole);
    else {
      // A path or an identifier may be stuck to it; encoded digits never need `+ / - _`.
      let found = false;
      let from = nextPlainPart(source, start, start, end);
      while (from >= 0) {
        const to = plainRunEnd(source.bytes, from, end);
        const inner = decodeRun(text, from, to);
        if (inner.text) {
          found = true;
          runs.push(inner);
        }
        from = nextPlainPart(source, to + 1, start, end);
      }
      if (!found && whole) runs.push(whole);
    }
    mark = nextMark(words, stop, length);
  }
  return runs;
}

/** A lone last sign holds no byte. */
function wholeBytes(start: number, end: number): number {
  return (end - start) % 4 === 1 ? end - 1 : end;
}

/** Nothing is stuck to longer runs: what is that long is data of its own. */
const STUCK_RUN_MAX = 4096;

/**
 * Where the next stretch of letters and digits begins that is worth a look in a run that also holds other signs; -1
 * where there is none.
 */
function nextPlainPart(source: TextBytes, at: number, start: number, end: number): number {
  if (end - start <= BASE64_RUN_MIN || end - start > STUCK_RUN_MAX) return -1;
  const { bytes } = source;
  let from = nextPlainRun(bytes, BASE64_RUN_MIN, at, end);
  while (from >= 0) {
    const to = plainRunEnd(bytes, from, end);
    if (to - from < end - start && isPlausible(source, from, to)) return from;
    from = nextPlainRun(bytes, BASE64_RUN_MIN, to, end);
  }
  return -1;
}

function decodeRun(text: string, start: number, end: number): Base64Run {
  let padded = end;
  while (padded < end + 2 && text.charCodeAt(padded) === 61) padded++;
  const run = text.slice(start, end);
  const bytes = Buffer.from(run, "base64");
  const utf8 = bytes.toString("utf8");
  const isText = !utf8.includes("\ufffd");
  return {
    start,
    end: padded,
    decoded: isText ? utf8 : bytes.toString("latin1"),
    text: isText,
    encode: (changed) =>
      encodeLike(text.slice(start, padded), bytes, Buffer.from(changed, isText ? "utf8" : "latin1")),
  };
}

function encodeLike(written: string, before: Buffer, after: Buffer): string {
  const whole = after.toString(/[-_]/.test(written) ? "base64url" : "base64").replace(/=+$/, "");
  if (before.length !== after.length) {
    const padding = written.endsWith("=") ? (4 - (whole.length % 4)) % 4 : 0;
    return whole + "=".repeat(padding);
  }
  const parts: string[] = [];
  for (let i = 0, at = 0; at < written.length; i += 3, at += 4) {
    const same = before.subarray(i, i + 3).equals(after.subarray(i, i + 3));
    parts.push(
      same
        ? written.slice(at, at + 4)
        : whole.slice(at, at + 4).padEnd(Math.min(4, written.length - at), "="),
    );
  }
  return parts.join("");
}

/** The shortest card with separators covers this many whole quartets, and two of them are nothing but digits. */
const CARD_QUARTETS_MIN = 4;
const DIGIT_QUARTETS_MIN = 2;

/** Whether the run decodes to text, or somewhere to what a card in ASCII looks like. */
function isPlausible({ bytes, marking }: TextBytes, start: number, end: number): boolean {
  const short = end - start <= 4 * SAMPLED_QUARTETS;
  const sampled = short ? end - 3 : start + 4 * SAMPLED_QUARTETS;
  let firsts = 0;
  for (let at = start; at < sampled; at += 4) firsts += FIRSTS[bytes[at]!]!;
  if (firsts < NO_TEXT && beginsAsText(bytes, start, end)) return true;
  if (short && firsts % NO_TEXT < DIGIT_QUARTETS_MIN) return false;
  for (let at = start; at + 3 < end; at += 4) {
    at = marking.findDigitQuartet(at, end);
    if (at + 3 >= end || !isDigits(bytes, at)) continue;
    let from = at;
    while (from > start && isAscii(bytes, from - 4)) from -= 4;
    let digits = 0;
    let to = from;
    for (; to + 3 < end && isAscii(bytes, to); to += 4) if (isDigits(bytes, to)) digits++;
    if (digits >= DIGIT_QUARTETS_MIN && to - from >= 4 * CARD_QUARTETS_MIN) return true;
    at = to - 4;
  }
  return false;
}

/** Whether the quartet stands for three bytes from 0x30 to 0x3f. */
function isDigits(bytes: Uint8Array, at: number): boolean {
  return (
    SEXTET[bytes[at]!]! >> 2 === 3 &&
    (SEXTET[bytes[at + 1]!]! & 15) === 3 &&
    (SEXTET[bytes[at + 2]!]! & 3) === 0 &&
    SEXTET[bytes[at + 3]!]! >> 4 === 3
  );
}

/** Whether the top bits of the quartet's three bytes are clear. */
function isAscii(bytes: Uint8Array, at: number): boolean {
  return (
    (SEXTET[bytes[at]!]! & 32) === 0 &&
    (SEXTET[bytes[at + 1]!]! & 8) === 0 &&
    (SEXTET[bytes[at + 2]!]! & 2) === 0
  );
}

/** Quartets that are looked at to tell text from other data. */
const SAMPLED_QUARTETS = 64;
const SAMPLED_BYTES = 3 * SAMPLED_QUARTETS;

/** What the first sign of a quartet says of the byte that it begins; summed up for all that are sampled. */
const MAYBE_DIGIT = 1;
const NO_TEXT = 256;
const FIRSTS = new Uint16Array(256);
for (const sign of "ABEFGH+/-_") FIRSTS[sign.charCodeAt(0)] = NO_TEXT;
for (const sign of "MNOP") FIRSTS[sign.charCodeAt(0)] = MAYBE_DIGIT;

/** Whether the first bytes are UTF-8 without control characters other than white space. */
function beginsAsText(bytes: Uint8Array, start: number, end: number): boolean {
  const sampled = Math.min(SAMPLED_BYTES, ((end - start) * 3) >> 2);
  let continuing = 0;
  for (let i = 0; i < sampled; i++) {
    const at = start + ((i / 3) | 0) * 4 + (i % 3);
    const shift = (i % 3) * 2;
    const high = SEXTET[bytes[at]!]!;
    const low = SEXTET[bytes[at + 1]!]!;
    const byte = ((high << (2 + shift)) | (low >> (4 - shift))) & 0xff;
    if (continuing > 0) {
      if (byte >> 6 !== 2) return false;
      continuing--;
    } else if (byte >= 0x80) {
      if (byte < 0xc2 || byte > 0xf4) return false;
      continuing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    } else if (byte === 0x7f || (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13)) return false;
  }
  return true;
}
