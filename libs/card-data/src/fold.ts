import { CLASS_OF, DROPPED, foldCodePoint, ODD, RAISED_DIGITS } from "./digits.js";

/**
 * Text in which every kind of digit, space and dash is its ASCII one, and for each of its code units the span of the
 * source that it stands for. The maps are absent where the text is the source itself.
 */
export interface Folded {
  text: string;
  starts?: Uint32Array;
  ends?: Uint32Array;
}

/** Keeps a footnote mark from joining the number before it; it separates nothing that a card may hold. */
const BREAK = 0x01;

/** Folds Unicode's digits, spaces, dashes and invisible signs. */
export function foldUnicode(source: string): Folded {
  if (!hasOddUnits(source)) return { text: source };
  const out = new FoldedBuilder(source.length * 2);
  let raisedBefore: boolean | undefined;
  for (let i = 0; i < source.length;) {
    const code = source.codePointAt(i)!;
    const width = code > 0xffff ? 2 : 1;
    const to = code < 0x80 ? code : foldCodePoint(code);
    if (to >= 48 && to < 58) {
      const raised = RAISED_DIGITS.has(code);
      if (raisedBefore !== undefined && raisedBefore !== raised) out.push(BREAK, i, i);
      raisedBefore = raised;
      out.push(to, i, i + width);
    } else if (to === 0) {
      raisedBefore = undefined;
      for (let k = 0; k < width; k++) out.push(source.charCodeAt(i + k), i + k, i + k + 1);
    } else if (to !== DROPPED) {
      raisedBefore = undefined;
      out.push(to, i, i + width);
    }
    i += width;
  }
  return out.done();
}

const MAYBE_ESCAPED = /%[0-9a-f]{2}|&(?:#\d|#x[0-9a-f]|[a-z]{2,20};)|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}/i;

/** Whether the text has percent, HTML or backslash escapes that a second look should undo. */
export function mayHoldEscapes(source: string): boolean {
  return MAYBE_ESCAPED.test(source);
}

/** How often escapes are undone: `%2534` is an escaped escape. */
const ESCAPE_ROUNDS_MAX = 3;

/** Undoes percent, HTML and backslash escapes, then folds; the maps lead back to the source. */
export function foldEscapes(source: string): Folded {
  let folded: Folded = { text: source };
  for (let round = 0; round < ESCAPE_ROUNDS_MAX && mayHoldEscapes(folded.text); round++) {
    folded = compose(folded, unescape(folded.text));
  }
  return compose(folded, foldUnicode(folded.text));
}

const ESCAPE =
  /((?:%[0-9a-f]{2})+)|&#(\d{1,7});?|&#x([0-9a-f]{1,6});?|&([a-z]{2,20});|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/gi;

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

function unescape(source: string): Folded {
  const out = new FoldedBuilder(source.length);
  let from = 0;
  for (const match of source.matchAll(ESCAPE)) {
    const [whole, percent, decimal, hex, entity, unicode, byte] = match;
    out.copy(source, from, match.index);
    from = match.index + whole.length;
    const code = decimal ? Number(decimal) : Number.parseInt(hex ?? unicode ?? byte ?? "", 16);
    if (percent !== undefined) percentDecode(percent, match.index, out);
    else if (entity !== undefined) {
      const to = ENTITIES.get(entity.toLowerCase());
      if (to === undefined) out.copy(source, match.index, from);
      else for (const unit of to) out.push(unit.charCodeAt(0), match.index, from);
    } else if (code <= 0x10ffff) {
      const sign = String.fromCodePoint(code);
      for (let k = 0; k < sign.length; k++) out.push(sign.charCodeAt(k), match.index, from);
    } else out.copy(source, match.index, from);
  }
  out.copy(source, from, source.length);
  return out.done();
}

/** One run of `%XX`; bytes that are not UTF-8 stay as they were written. */
function percentDecode(run: string, at: number, out: FoldedBuilder): void {
  const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i]!;
    const width = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const sign = bytes.toString("utf8", i, i + width);
    const start = at + i * 3;
    if (sign.includes("\ufffd") || i + width > bytes.length) {
      out.copy(run, i * 3, i * 3 + 3, at);
      i++;
      continue;
    }
    for (let k = 0; k < sign.length; k++) out.push(sign.charCodeAt(k), start, start + width * 3);
    i += width;
  }
}

function compose(outer: Folded, inner: Folded): Folded {
  const { starts, ends } = outer;
  if (!starts || !ends) return inner;
  if (!inner.starts || !inner.ends) return { text: inner.text, starts, ends };
  return {
    text: inner.text,
    starts: inner.starts.map((i) => starts[i] ?? starts[starts.length - 1] ?? 0),
    ends: inner.ends.map((i) => (i === 0 ? 0 : ends[i - 1]!)),
  };
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** Whether folding may change anything. */
export function hasOddUnits(source: string): boolean {
  if (!NOT_ASCII.test(source)) return false;
  for (let i = 0; i < source.length; i++) if (CLASS_OF[source.charCodeAt(i)] === ODD) return true;
  return false;
}

class FoldedBuilder {
  private readonly units: Uint16Array;
  private readonly starts: Uint32Array;
  private readonly ends: Uint32Array;
  private length = 0;

  constructor(capacity: number) {
    this.units = new Uint16Array(capacity);
    this.starts = new Uint32Array(capacity);
    this.ends = new Uint32Array(capacity);
  }

  push(unit: number, start: number, end: number): void {
    this.units[this.length] = unit;
    this.starts[this.length] = start;
    this.ends[this.length++] = end;
  }

  copy(source: string, from: number, to: number, offset = 0): void {
    for (let i = from; i < to; i++) this.push(source.charCodeAt(i), offset + i, offset + i + 1);
  }

  done(): Folded {
    return {
      text: Buffer.from(this.units.buffer, 0, this.length * 2).toString("utf16le"),
      starts: this.starts.subarray(0, this.length),
      ends: this.ends.subarray(0, this.length),
    };
  }
}
