import { CLASS_OF, DROPPED, foldCodePoint, FOLDED, ODD, RAISED_DIGITS } from "./digits.js";

/**
 * Text in which every kind of digit, space and dash is its ASCII one, and for each of its code units the span of the
 * source that it stands for. The maps are absent where the text is the source itself.
 */
export interface Folded {
  text: string;
  starts?: Uint32Array;
  ends?: Uint32Array;
  /** Whether digits came together because a sign between them was dropped. */
  joined?: boolean;
}

/** Keeps a footnote mark from joining the number before it; it separates nothing that a card may hold, and stays. */
const BREAK = 0x0b;

/**
 * Folds Unicode's digits, spaces, dashes and invisible signs. Invisible signs are dropped; `apart` leaves a blank for
 * those between digits, which may also be where one number ends and the next begins.
 */
export function foldUnicode(source: string, apart = false): Folded {
  if (!hasOddUnits(source)) return { text: source };
  const out = new FoldedBuilder(source.length * 2);
  let raisedBefore: boolean | undefined;
  /** Where signs were dropped behind a digit. */
  let dropped = -1;
  let joined = false;
  for (let i = 0; i < source.length;) {
    const code = source.codePointAt(i)!;
    const width = code > 0xffff ? 2 : 1;
    const to = code < 0x80 && FOLDED[code] === 0 ? code : foldCodePoint(code);
    if (to >= 48 && to < 58) {
      const raised = RAISED_DIGITS.has(code);
      if (dropped >= 0 && raisedBefore !== undefined) {
        joined = true;
        if (apart) out.push(32, dropped, i);
      }
      dropped = -1;
      if (raisedBefore !== undefined && raisedBefore !== raised) out.push(BREAK, i, i);
      raisedBefore = raised;
      out.push(to, i, i + width);
    } else if (to === 0) {
      raisedBefore = undefined;
      dropped = -1;
      for (let k = 0; k < width; k++) out.push(source.charCodeAt(i + k), i + k, i + k + 1);
    } else if (to !== DROPPED) {
      raisedBefore = undefined;
      dropped = -1;
      out.push(to, i, i + width);
    } else if (dropped < 0 && raisedBefore !== undefined) dropped = i;
    i += width;
  }
  return { ...out.done(), joined };
}

const MAYBE_ESCAPED = /%[0-9a-f]{2}|&(?:#\d|#x[0-9a-f]|[a-z]{2,20};)|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\d\+\d/i;

/** Whether the text has percent, HTML or backslash escapes, or blanks as forms write them, that a second look should undo. */
export function mayHoldEscapes(source: string): boolean {
  return MAYBE_ESCAPED.test(source);
}

/** How often escapes are undone: `%2534` is an escaped escape. */
const ESCAPE_ROUNDS_MAX = 3;

/** Undoes percent, HTML and backslash escapes, then folds; the maps lead back to the source. */
export function foldEscapes(source: string, apart = false): Folded {
  let folded: Folded = { text: source };
  for (let round = 0; round < ESCAPE_ROUNDS_MAX && mayHoldEscapes(folded.text); round++) {
    folded = compose(folded, unescape(folded.text));
  }
  return compose(folded, foldUnicode(folded.text, apart));
}

/** Names of HTML entities, by what they fold to. */
const ENTITY_NAMES: readonly (readonly [string, string])[] = [
  [" ", "nbsp ensp emsp thinsp hairsp numsp puncsp nonbreakingspace"],
  ["-", "ndash mdash hyphen dash minus"],
  ["", "zwj zwnj shy zerowidthspace nobreak lrm rlm"],
  [".", "period middot"],
  ["/", "sol"],
  ["_", "lowbar"],
  ["&", "amp"],
  ['"', "quot"],
  ["'", "apos"],
  [":", "colon"],
  ["=", "equals"],
  ["^", "hat"],
  ["%", "percnt"],
  ["#", "num"],
  [";", "semi"],
];
const ENTITIES = new Map(
  ENTITY_NAMES.flatMap(([sign, names]) => names.split(" ").map((name) => [name, sign] as const)),
);

const NAMED_ENTITY = /&([a-z]{2,20});/iy;

function unescape(source: string): Folded {
  const out = new FoldedBuilder(source.length);
  for (let at = 0; at < source.length;) {
    const code = source.charCodeAt(at);
    if (code === PERCENT) at = unescapePercent(source, at, out);
    else if (code === AMPERSAND) at = unescapeEntity(source, at, out);
    else if (code === BACKSLASH) at = unescapeBackslash(source, at, out);
    else out.push(code === PLUS && isBetweenDigits(source, at) ? 32 : code, at, ++at);
  }
  return out.done();
}

/** In forms and query strings a plus is a blank. */
function isBetweenDigits(source: string, at: number): boolean {
  const before = source.charCodeAt(at - 1) - 48;
  const after = source.charCodeAt(at + 1) - 48;
  return before >= 0 && before < 10 && after >= 0 && after < 10;
}

const PLUS = 43;
const PERCENT = 37;
const AMPERSAND = 38;
const BACKSLASH = 92;

/** One `%XX`, or as many as make one sign of UTF-8; bytes that are not UTF-8 stay as they were written. */
function unescapePercent(source: string, at: number, out: FoldedBuilder): number {
  const lead = byteAt(source, at);
  if (lead < 0) return out.copy(source, at, at + 1);
  if (lead < 0x80) return out.push(lead, at, at + 3);
  const width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const bytes = Array.from({ length: width }, (_, i) => byteAt(source, at + 3 * i));
  const sign = bytes.includes(-1) ? "\ufffd" : Buffer.from(bytes).toString("utf8");
  if (sign.includes("\ufffd")) return out.copy(source, at, at + 3);
  return out.pushAll(sign, at, at + 3 * width);
}

/** The byte of the `%XX` at an offset; -1 where there is none. */
function byteAt(source: string, at: number): number {
  return source.charCodeAt(at) === PERCENT ? hexAt(source, at + 1, 2) : -1;
}

function unescapeEntity(source: string, at: number, out: FoldedBuilder): number {
  if (source.charCodeAt(at + 1) !== 35) {
    NAMED_ENTITY.lastIndex = at;
    const name = NAMED_ENTITY.exec(source)?.[1];
    if (name === undefined) return out.copy(source, at, at + 1);
    const end = at + name.length + 2;
    const sign = ENTITIES.get(name.toLowerCase());
    return sign === undefined ? out.copy(source, at, end) : out.pushAll(sign, at, end);
  }
  const hex = (source.charCodeAt(at + 2) | 32) === 120;
  const from = hex ? at + 3 : at + 2;
  const unitsMax = hex ? 6 : 7;
  let code = 0;
  let to = from;
  for (; to < from + unitsMax; to++) {
    const value = HEX_VALUES[source.charCodeAt(to)] ?? NOT_HEX;
    if (value >= (hex ? 16 : 10)) break;
    code = code * (hex ? 16 : 10) + value;
  }
  if (to === from) return out.copy(source, at, at + 1);
  if (source.charCodeAt(to) === 59) to++;
  return code > 0x10ffff ? out.copy(source, at, to) : out.pushAll(String.fromCodePoint(code), at, to);
}

/** A backslash that was escaped again and again is one backslash. */
const BACKSLASHES_MAX = 8;

/** `\uXXXX` and `\xXX`, and the same behind further backslashes. */
function unescapeBackslash(source: string, at: number, out: FoldedBuilder): number {
  let last = at;
  while (source.charCodeAt(last + 1) === BACKSLASH && last - at < BACKSLASHES_MAX) last++;
  const letter = source.charCodeAt(last + 1) | 32;
  const units = letter === 117 ? 4 : letter === 120 ? 2 : 0;
  const code = units === 0 ? -1 : hexAt(source, last + 2, units);
  return code < 0 ? out.copy(source, at, last + 1) : out.push(code, at, last + 2 + units);
}

const NOT_HEX = 16;
const HEX_VALUES = new Uint8Array(128).fill(NOT_HEX);
for (let value = 0; value < 16; value++) {
  const sign = value.toString(16);
  for (const one of [sign, sign.toUpperCase()]) HEX_VALUES[one.charCodeAt(0)] = value;
}

/** The number that so many hexadecimal signs make; -1 where they are not. */
function hexAt(source: string, at: number, units: number): number {
  let number = 0;
  for (let i = at; i < at + units; i++) {
    const value = HEX_VALUES[source.charCodeAt(i)] ?? NOT_HEX;
    if (value === NOT_HEX) return -1;
    number = number * 16 + value;
  }
  return number;
}

function compose(outer: Folded, inner: Folded): Folded {
  const { starts, ends } = outer;
  if (!starts || !ends) return inner;
  if (!inner.starts || !inner.ends) return { ...inner, starts, ends };
  const last = starts.length - 1;
  for (let i = 0; i < inner.starts.length; i++) {
    inner.starts[i] = last < 0 ? 0 : starts[Math.min(inner.starts[i]!, last)]!;
    const end = inner.ends[i]!;
    inner.ends[i] = end === 0 ? 0 : ends[end - 1]!;
  }
  return inner;
}

// oxlint-disable-next-line no-control-regex -- They are what is looked for.
const NOT_PLAIN = /[\0-\x08\x0e-\x1f\x7f-\uffff]/;

/** Whether folding may change anything. */
export function hasOddUnits(source: string): boolean {
  if (!NOT_PLAIN.test(source)) return false;
  for (let i = 0; i < source.length; i++) {
    const unit = source.charCodeAt(i);
    if (CLASS_OF[unit] === ODD || FOLDED[unit] === DROPPED) return true;
  }
  return false;
}

/** Longer texts get memory of their own. */
const KEPT_UNITS_MAX = 256 * 1024;

interface Room {
  units: Uint16Array;
  /** The same memory. */
  bytes: Buffer;
  starts: Uint32Array;
  ends: Uint32Array;
}

const kept = roomFor(KEPT_UNITS_MAX);

function roomFor(units: number): Room {
  const bytes = Buffer.alloc(units * 2);
  return {
    units: new Uint16Array(bytes.buffer, bytes.byteOffset, units),
    bytes,
    starts: new Uint32Array(units),
    ends: new Uint32Array(units),
  };
}

/** Only one builds at a time, in memory that is kept between texts; what is done has memory of its own. */
class FoldedBuilder {
  private readonly room: Room;
  private length = 0;

  constructor(capacity: number) {
    this.room = capacity <= KEPT_UNITS_MAX ? kept : roomFor(capacity);
  }

  /** Like the others that add something: the answer is where it ends in the source. */
  push(unit: number, start: number, end: number): number {
    const { units, starts, ends } = this.room;
    const at = this.length++;
    units[at] = unit;
    starts[at] = start;
    ends[at] = end;
    return end;
  }

  pushAll(text: string, start: number, end: number): number {
    for (let i = 0; i < text.length; i++) this.push(text.charCodeAt(i), start, end);
    return end;
  }

  copy(source: string, from: number, to: number): number {
    for (let i = from; i < to; i++) this.push(source.charCodeAt(i), i, i + 1);
    return to;
  }

  done(): Folded {
    const { length } = this;
    const { units, bytes, starts, ends } = this.room;
    const text = bytes.toString("utf16le", 0, length * 2);
    if (this.room === kept) units.fill(0, 0, length);
    return { text, starts: starts.slice(0, length), ends: ends.slice(0, length) };
  }
}
