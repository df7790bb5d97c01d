import { CLASS_OF, ODD } from "./digits.js";
import type { JsonFrame, KeyNode } from "./json-frame.js";
import { KeyTree } from "./json-frame.js";
import { JsonRefused } from "./json-refused.js";
import { decodeJsonString } from "./json-string.js";
import type { TextBytes } from "./text-bytes.js";
import { borrowBytes, returnBytes } from "./text-bytes.js";

/** How deep objects and arrays may nest. */
export const JSON_DEPTH_MAX = 128;

/** What was seen while a string was read, so that most strings need no second look; a set of bits. */
export const HAS_DIGIT = 1;
/** Some unit outside ASCII may fold into something else. */
export const HAS_ODD = 2;
export const HAS_ESCAPE = 4;
/** Some escape is a `\u` or a `\/`: the digits of the value, or its base64, are not those of the text. */
export const HAS_DISGUISE = 8;
export const HAS_NON_ASCII = 16;
/** Sixteen units or more may stand in a row without a blank. */
export const HAS_LONG_WORD = 32;

/** Told of every token in order; offsets are into the text that is read and include the quotes. */
export interface JsonSink {
  /** The answer is whether it must be told of the same key of other objects too. */
  key(frame: JsonFrame, key: KeyNode, start: number, end: number, traits: number): boolean;
  string(
    frame: JsonFrame | undefined,
    key: KeyNode | undefined,
    index: number,
    start: number,
    end: number,
    traits: number,
  ): void;
  number(
    frame: JsonFrame | undefined,
    key: KeyNode | undefined,
    index: number,
    start: number,
    end: number,
  ): void;
}

export interface JsonReadOptions {
  depthMax?: number;
  /** Duplicate keys are refused unless this is set. */
  allowDuplicateKeys?: boolean;
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;

/**
 * Reads one strict JSON value (RFC 8259) and tells `sink` of each string, number and key with its offsets. Iterative:
 * depth costs no stack. `source` are the bytes of `text`.
 *
 * @throws JsonRefused where the text is not JSON, names a key twice, nests too deeply or goes on after the value.
 */
export function readJson(
  text: string,
  source: TextBytes,
  sink: JsonSink | undefined,
  options: JsonReadOptions = {},
): void {
  new Reader(text, source, sink, options).read(options.depthMax ?? JSON_DEPTH_MAX);
}

/** Refuses what `scanJson` refuses; afterwards `JSON.parse` reads the text as every other reader does. */
export function checkJson(text: string, options: JsonReadOptions = {}): void {
  const source = borrowBytes(text);
  try {
    readJson(text, source, undefined, options);
  } finally {
    returnBytes(source);
  }
}

/** Four bytes at once: one bit for each that is something, its highest. */
const EACH = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;
const QUOTES = QUOTE * EACH;
const BACKSLASHES = BACKSLASH * EACH;
const SPACES = 0x20 * EACH;
const ZEROS = 0x30 * EACH;
const PLUSES = 0x2b * EACH;
/** Sixteen units in a row hold so many whole fours, wherever those begin. */
const LONG_WORD_FOURS = 3;
/** Added to 0 to 9 it leaves the highest bit clear, added to what else a byte below 0x80 may be it sets it. */
const PAST_NINE = 0x76 * EACH;

class Reader {
  private readonly bytes: Buffer;
  private readonly view: DataView;
  private readonly length: number;
  private readonly tree: KeyTree;
  /** What was seen in the last string. */
  private traits = 0;

  constructor(
    private readonly text: string,
    source: TextBytes,
    private readonly sink: JsonSink | undefined,
    options: JsonReadOptions,
  ) {
    this.bytes = source.bytes;
    this.view = source.view;
    this.length = source.length;
    this.tree = new KeyTree(options.allowDuplicateKeys ?? false);
  }

  read(depthMax: number): void {
    const { bytes, sink, tree } = this;
    let frame: JsonFrame | undefined;
    let depth = 0;
    let key: KeyNode | undefined;
    let index = 0;
    let at = 0;
    for (;;) {
      at = this.skipSpace(at);
      if (frame && !frame.array) {
        at = this.readKey(frame, at);
        key = frame.last;
        at = this.skipSpace(at);
      }
      const code = bytes[at]!;
      if (code === QUOTE) {
        const start = at;
        at = this.skipString(at);
        if (sink) sink.string(frame, key, index, start, at, this.traits);
      } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
        if (++depth > depthMax) throw new JsonRefused("too_deep", at);
        const array = code === OPEN_ARRAY;
        at = this.skipSpace(at + 1);
        if (bytes[at] !== (array ? CLOSE_ARRAY : CLOSE_OBJECT)) {
          frame = tree.open(frame, array, key, index);
          if (array) key = undefined;
          index = 0;
          continue;
        }
        at++;
        depth--;
      } else if (code === 45 || (code >= 48 && code <= 57)) {
        const start = at;
        at = this.skipNumber(at);
        if (sink) sink.number(frame, key, index, start, at);
      } else at = this.skipWord(code, at);

      // After a value: close what ends here, until a comma asks for the next one.
      for (;;) {
        at = this.skipSpace(at);
        if (!frame) {
          if (at < this.length) throw new JsonRefused("trailing_data", at);
          return;
        }
        const next = bytes[at];
        if (next === COMMA) {
          at++;
          index = frame.array ? ++frame.count : 0;
          break;
        }
        if (next !== (frame.array ? CLOSE_ARRAY : CLOSE_OBJECT)) malformed(at);
        at++;
        depth--;
        key = frame.key;
        index = frame.index;
        frame = frame.parent;
      }
    }
  }

  /** From a key to behind its colon; the key becomes the last one of the frame. */
  private readKey(frame: JsonFrame, start: number): number {
    const { sink } = this;
    const likely = frame.last.next;
    let end: number;
    if (likely && likely.sampleUnits > 0 && this.isSame(likely.sampleStart, start, likely.sampleUnits)) {
      end = start + likely.sampleUnits;
      frame.last = likely;
      frame.seen?.add(likely.name);
      if (likely.noted && sink) sink.key(frame, likely, start, end, 0);
    } else {
      if (this.bytes[start] !== QUOTE) malformed(start);
      end = this.skipString(start);
      const { traits } = this;
      const name =
        (traits & HAS_ESCAPE) !== 0
          ? decodeJsonString(this.text, start, end)
          : this.text.slice(start + 1, end - 1);
      const sampleUnits = (traits & (HAS_ESCAPE | HAS_NON_ASCII)) === 0 ? end - start : 0;
      const node = this.tree.add(frame, name, start, sampleUnits);
      if (!node) throw new JsonRefused("duplicate_key", start);
      if (sink && sink.key(frame, node, start, end, traits)) node.noted = true;
    }
    const at = this.skipSpace(end);
    if (this.bytes[at] !== COLON) malformed(at);
    return at + 1;
  }

  private isSame(one: number, other: number, units: number): boolean {
    const { bytes, view } = this;
    let i = 0;
    for (; i + 4 <= units; i += 4) {
      if (view.getInt32(one + i, true) !== view.getInt32(other + i, true)) return false;
    }
    for (; i < units; i++) if (bytes[one + i] !== bytes[other + i]) return false;
    return true;
  }

  private skipSpace(from: number): number {
    const { bytes } = this;
    let at = from;
    let code = bytes[at]!;
    while (code <= 32 && (code === 32 || code === 10 || code === 13 || code === 9)) code = bytes[++at]!;
    return at;
  }

  /** From the opening quote to behind the closing one. */
  private skipString(start: number): number {
    const { bytes, view } = this;
    let at = start + 1;
    let traits = 0;
    let digits = 0;
    let fours = 0;
    let foursMax = 0;
    for (;;) {
      const four = view.getInt32(at, true);
      const quotes = four ^ QUOTES;
      const backslashes = four ^ BACKSLASHES;
      const digitsNot = (four ^ ZEROS) + PAST_NINE;
      const stops =
        (((quotes - EACH) & ~quotes) |
          ((backslashes - EACH) & ~backslashes) |
          ((four - SPACES) & ~four) |
          four) &
        HIGH_BITS;
      if (stops === 0) {
        digits |= ~digitsNot & HIGH_BITS;
        fours = ((four - PLUSES) & ~four & HIGH_BITS) === 0 ? fours + 1 : 0;
        if (fours > foursMax) foursMax = fours;
        at += 4;
        continue;
      }
      const first = stops & -stops;
      digits |= ~digitsNot & HIGH_BITS & (first - 1);
      at += (31 - Math.clz32(first)) >> 3;
      let code = bytes[at]!;
      if (code === QUOTE) {
        if (digits !== 0) traits |= HAS_DIGIT;
        if (foursMax >= LONG_WORD_FOURS) traits |= HAS_LONG_WORD;
        this.traits = traits;
        return at + 1;
      }
      fours = 0;
      if (code === BACKSLASH) {
        const next = bytes[at + 1];
        traits |= next === 117 || next === 47 ? HAS_ESCAPE | HAS_DISGUISE : HAS_ESCAPE;
        at = this.skipEscape(at);
      } else if (code < 32) malformed(at);
      else {
        traits |= HAS_NON_ASCII;
        do {
          if (CLASS_OF[code] === ODD) traits |= HAS_ODD;
          code = bytes[++at]!;
        } while (code >= 128);
      }
    }
  }

  private skipEscape(at: number): number {
    const { bytes } = this;
    const code = bytes[at + 1];
    if (code === 117) {
      for (let k = 2; k < 6; k++) {
        const digit = bytes[at + k]!;
        const letter = digit | 32;
        if (!((digit >= 48 && digit <= 57) || (letter >= 97 && letter <= 102))) malformed(at);
      }
      return at + 6;
    }
    // " \ / b f n r t
    const known =
      code === QUOTE || code === BACKSLASH || code === 47 || code === 98 || code === 102 || code === 110;
    if (!known && code !== 114 && code !== 116) malformed(at);
    return at + 2;
  }

  private skipNumber(start: number): number {
    const { bytes } = this;
    let at = bytes[start] === 45 ? start + 1 : start;
    at = bytes[at] === 48 ? at + 1 : this.skipDigits(at);
    if (bytes[at] === 46) at = this.skipDigits(at + 1);
    if ((bytes[at]! | 32) === 101) {
      const sign = bytes[++at];
      at = this.skipDigits(sign === 43 || sign === 45 ? at + 1 : at);
    }
    return at;
  }

  private skipDigits(start: number): number {
    const { bytes } = this;
    let at = start;
    let code = bytes[at]!;
    while (code >= 48 && code <= 57) code = bytes[++at]!;
    if (at === start) malformed(at);
    return at;
  }

  private skipWord(code: number, at: number): number {
    const word = code === 116 ? "true" : code === 102 ? "false" : "null";
    if (!this.text.startsWith(word, at)) malformed(at);
    return at + word.length;
  }
}

function malformed(offset: number): never {
  throw new JsonRefused("malformed_json", offset);
}
