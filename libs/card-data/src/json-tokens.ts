import { CLASS_OF, ODD } from "./digits.js";
import { stop } from "./json-refused.js";
import type { TextBytes } from "./text-bytes.js";
import { endOfMarks, nextMark } from "./text-bytes.js";

/** What was seen while a string was read; a set of bits. */
export const HAS_ESCAPE = 1;
/** Some unit outside ASCII may fold into something else. */
export const HAS_ODD = 2;
/** Some escape is a `\u` or a `\/`: the digits of the value, or its base64, are not those of the text. */
export const HAS_DISGUISE = 4;
export const HAS_NON_ASCII = 8;

const QUOTE = 34;
const BACKSLASH = 92;

/** The tokens of JSON: each method goes from the offset where one begins to behind its end, or refuses it. */
export class JsonTokens {
  protected readonly bytes: Buffer;
  protected readonly length: number;
  /** What was seen in the last string. */
  protected traits = 0;
  private readonly view: DataView;
  private readonly stops: Int32Array;
  private readonly digits: Int32Array;
  /** Behind the first of the zeros that follow the text. */
  private readonly marked: number;

  constructor(
    protected readonly text: string,
    source: TextBytes,
  ) {
    this.bytes = source.bytes;
    this.view = source.view;
    this.length = source.length;
    ({ stops: this.stops, digits: this.digits } = source.marks);
    this.marked = source.length + 1;
  }

  protected isSame(one: number, other: number, units: number): boolean {
    const { bytes, view } = this;
    if (units < 4)
      return (
        units === 3 &&
        bytes[one + 1] === bytes[other + 1] &&
        bytes[other] === QUOTE &&
        bytes[other + 2] === QUOTE
      );
    const last = units - 4;
    for (let i = 0; i < last; i += 4) {
      if (view.getInt32(one + i, true) !== view.getInt32(other + i, true)) return false;
    }
    return view.getInt32(one + last, true) === view.getInt32(other + last, true);
  }

  protected skipSpace(from: number): number {
    const { bytes } = this;
    let at = from;
    let code = bytes[at]!;
    while (code <= 32 && (code === 32 || code === 10 || code === 13 || code === 9)) code = bytes[++at]!;
    return at;
  }

  /** From the opening quote to behind the closing one. */
  protected skipString(start: number): number {
    const { bytes, stops } = this;
    let at = start + 1;
    let traits = 0;
    for (;;) {
      at = nextMark(stops, at, this.marked);
      let code = bytes[at]!;
      if (code === QUOTE) {
        this.traits = traits;
        return at + 1;
      }
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

  protected skipNumber(start: number): number {
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
    const at = endOfMarks(this.digits, start);
    if (at === start) malformed(at);
    return at;
  }

  protected skipWord(code: number, at: number): number {
    const word = code === 116 ? "true" : code === 102 ? "false" : "null";
    if (!this.text.startsWith(word, at)) malformed(at);
    return at + word.length;
  }
}

export function malformed(offset: number): never {
  stop("malformed_json", offset);
}
