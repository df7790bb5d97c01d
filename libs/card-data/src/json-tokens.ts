import { CLASS_OF, ODD } from "./digits.js";
import { JsonRefused } from "./json-refused.js";
import type { TextBytes } from "./text-bytes.js";

/** What was seen while a string was read, so that most strings need no second look; a set of bits. */
export const HAS_DIGIT = 1;
/** Some unit outside ASCII may fold into something else. */
export const HAS_ODD = 2;
export const HAS_ESCAPE = 4;
/** Some escape is a `\u` or a `\/`: the digits of the value, or its base64, are not those of the text. */
export const HAS_DISGUISE = 8;
export const HAS_NON_ASCII = 16;
/** Sixteen units or more may stand in a row without a blank: they hold three whole fours, wherever those begin. */
export const HAS_LONG_WORD = 32;

const QUOTE = 34;
const BACKSLASH = 92;

/** Four bytes at once: one bit for each that is something, its highest. */
const EACH = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;
const QUOTES = QUOTE * EACH;
const BACKSLASHES = BACKSLASH * EACH;
const SPACES = 0x20 * EACH;
const ZEROS = 0x30 * EACH;
const PLUSES = 0x2b * EACH;
/** Added to 0 to 9 it leaves the highest bit clear, added to what else a byte below 0x80 may be it sets it. */
const PAST_NINE = 0x76 * EACH;

/** Marks quotes, backslashes, control characters and what is outside ASCII; the lowest mark is right. */
function stopsIn(four: number): number {
  const quotes = four ^ QUOTES;
  const backslashes = four ^ BACKSLASHES;
  return (
    (((quotes - EACH) & ~quotes) | ((backslashes - EACH) & ~backslashes) | ((four - SPACES) & ~four) | four) &
    HIGH_BITS
  );
}

/** Marks digits; right where nothing is marked that stops. */
function digitsIn(four: number): number {
  return ~((four ^ ZEROS) + PAST_NINE) & HIGH_BITS;
}

/** One where no byte is a blank, else zero; without a branch, since nobody can guess where words end. */
function isUnbroken(four: number): number {
  const blanks = (four - PLUSES) & ~four & HIGH_BITS;
  return ((blanks | -blanks) >>> 31) ^ 1;
}

/** The tokens of JSON: each method goes from the offset where one begins to behind its end, or refuses it. */
export class JsonTokens {
  protected readonly bytes: Buffer;
  protected readonly length: number;
  /** What was seen in the last string. */
  protected traits = 0;
  private readonly view: DataView;

  constructor(
    protected readonly text: string,
    source: TextBytes,
  ) {
    this.bytes = source.bytes;
    this.view = source.view;
    this.length = source.length;
  }

  protected isSame(one: number, other: number, units: number): boolean {
    const { bytes, view } = this;
    let i = 0;
    for (; i + 4 <= units; i += 4) {
      if (view.getInt32(one + i, true) !== view.getInt32(other + i, true)) return false;
    }
    for (; i < units; i++) if (bytes[one + i] !== bytes[other + i]) return false;
    return true;
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
    const { bytes, view } = this;
    let at = start + 1;
    let traits = 0;
    let digits = 0;
    /** One bit for each four, the last one lowest: whether it is without a blank. */
    let fours = 0;
    let longWord = 0;
    for (;;) {
      let four = view.getInt32(at, true);
      let stops = stopsIn(four);
      while (stops === 0) {
        const next = view.getInt32(at + 4, true);
        digits |= digitsIn(four);
        fours = (fours << 1) | isUnbroken(four);
        longWord |= fours & (fours >>> 1) & (fours >>> 2);
        at += 4;
        four = next;
        stops = stopsIn(four);
      }
      const first = stops & -stops;
      digits |= digitsIn(four) & (first - 1);
      at += (31 - Math.clz32(first)) >> 3;
      let code = bytes[at]!;
      if (code === QUOTE) {
        if (digits !== 0) traits |= HAS_DIGIT;
        if ((longWord & 1) !== 0) traits |= HAS_LONG_WORD;
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
    const { bytes } = this;
    let at = start;
    let code = bytes[at]!;
    while (code >= 48 && code <= 57) code = bytes[++at]!;
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
  throw new JsonRefused("malformed_json", offset);
}
