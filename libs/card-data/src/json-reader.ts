import { CLASS_OF, DIGIT, ODD, PLAIN } from "./digits.js";
import { JsonRefused } from "./json-refused.js";
import { decodeJsonString } from "./json-string.js";

/** How deep objects and arrays may nest. */
export const JSON_DEPTH_MAX = 128;

/** An object or array that is being read, or was. `key` and `index` tell where it lies in its parent. */
export interface JsonFrame {
  readonly parent: JsonFrame | undefined;
  readonly array: boolean;
  readonly key: string;
  readonly index: number;
  /** Every key of the object in order; empty for an array. */
  readonly keys: string[];
  seen: Set<string> | undefined;
  count: number;
  /** Left to the sink: where the string lies that names what the object holds; -1 where there is none. */
  labelStart: number;
  labelEnd: number;
}

/** Counts that were taken while a string was read, so that most strings need no second look. */
export interface StringTraits {
  digits: number;
  odd: boolean;
  escaped: boolean;
  /** Some escape is a `\u` or a `\/`: the digits of the value, or its base64, are not those of the text. */
  disguised: boolean;
}

/** Told of every token in order; offsets are into the text that is read and include the quotes. */
export interface JsonSink {
  key(frame: JsonFrame, key: string, start: number, end: number, traits: StringTraits): void;
  string(
    frame: JsonFrame | undefined,
    key: string,
    index: number,
    start: number,
    end: number,
    traits: StringTraits,
  ): void;
  number(frame: JsonFrame | undefined, key: string, index: number, start: number, end: number): void;
}

export interface JsonReadOptions {
  depthMax?: number;
  /** Duplicate keys are refused unless this is set. */
  allowDuplicateKeys?: boolean;
}

/** Past this many keys an object's keys are compared through a set. */
const COMPARED_KEYS_MAX = 12;

/** After so many plain signs more are expected. */
const WALKED_UNITS = 24;
/** Every sign whose class is not PLAIN, and some more. */
// oxlint-disable-next-line no-control-regex
const NOT_PLAIN = /["\\\u0000-\u001f0-9\u0080-\uffff]/g;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;

/**
 * Reads one strict JSON value (RFC 8259) and tells `sink` of each string, number and key with its offsets. Iterative:
 * depth costs no stack.
 *
 * @throws JsonRefused where the text is not JSON, names a key twice, nests too deeply or goes on after the value.
 */
export function readJson(text: string, sink: JsonSink | undefined, options: JsonReadOptions = {}): void {
  new Reader(text, sink, options.depthMax ?? JSON_DEPTH_MAX, options.allowDuplicateKeys ?? false).read();
}

/** Refuses what `readJson` refuses; afterwards `JSON.parse` reads the text as every other reader does. */
export function checkJson(text: string, options: JsonReadOptions = {}): void {
  readJson(text, undefined, options);
}

class Reader {
  private at = 0;
  private readonly traits: StringTraits = { digits: 0, odd: false, escaped: false, disguised: false };

  constructor(
    private readonly text: string,
    private readonly sink: JsonSink | undefined,
    private readonly depthMax: number,
    private readonly allowDuplicateKeys: boolean,
  ) {}

  read(): void {
    const { text, sink } = this;
    let frame: JsonFrame | undefined;
    let depth = 0;
    let key = "";
    let index = 0;
    for (;;) {
      let code = this.skipSpace();
      if (frame && !frame.array) {
        key = this.readKey(frame, code);
        code = this.skipSpace();
      }
      if (code === QUOTE) {
        const start = this.at;
        this.skipString();
        if (sink) sink.string(frame, key, index, start, this.at, this.traits);
      } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
        if (++depth > this.depthMax) throw new JsonRefused("too_deep", this.at);
        const array = code === OPEN_ARRAY;
        const inner = openFrame(frame, array, key, index);
        this.at++;
        const next = this.skipSpace();
        if (next !== (array ? CLOSE_ARRAY : CLOSE_OBJECT)) {
          frame = inner;
          if (array) key = "";
          index = 0;
          continue;
        }
        this.at++;
        depth--;
      } else if (code === 45 || (code >= 48 && code <= 57)) {
        const start = this.at;
        this.skipNumber();
        if (sink) sink.number(frame, key, index, start, this.at);
      } else this.skipWord(code);

      // After a value: close what ends here, until a comma asks for the next one.
      for (;;) {
        const next = this.skipSpace();
        if (!frame) {
          if (this.at < text.length) throw new JsonRefused("trailing_data", this.at);
          return;
        }
        if (next === COMMA) {
          this.at++;
          index = frame.array ? ++frame.count : 0;
          break;
        }
        if (next !== (frame.array ? CLOSE_ARRAY : CLOSE_OBJECT)) this.malformed();
        this.at++;
        depth--;
        key = frame.key;
        index = frame.index;
        frame = frame.parent;
      }
    }
  }

  private readKey(frame: JsonFrame, code: number): string {
    if (code !== QUOTE) this.malformed();
    const start = this.at;
    this.skipString();
    const end = this.at;
    const key = this.traits.escaped
      ? decodeJsonString(this.text, start, end)
      : this.text.slice(start + 1, end - 1);
    if (!this.allowDuplicateKeys && isDuplicate(frame, key)) throw new JsonRefused("duplicate_key", start);
    frame.keys.push(key);
    if (this.sink) this.sink.key(frame, key, start, end, this.traits);
    if (this.skipSpace() !== COLON) this.malformed();
    this.at++;
    return key;
  }

  /** Leaves `at` on the next sign that is no white space, and returns its code, or NaN at the end. */
  private skipSpace(): number {
    const { text } = this;
    let code = text.charCodeAt(this.at);
    while (code === 32 || code === 10 || code === 13 || code === 9) code = text.charCodeAt(++this.at);
    return code;
  }

  private skipString(): void {
    const { text, traits } = this;
    let at = this.at + 1;
    let digits = 0;
    let odd = false;
    let escaped = false;
    let disguised = false;
    const { length } = text;
    let plainInARow = 0;
    for (; at < length; at++) {
      const code = text.charCodeAt(at);
      const kind = CLASS_OF[code]!;
      if (kind === PLAIN) {
        if (++plainInARow < WALKED_UNITS) continue;
        // Over long stretches of prose a regular expression's search is several times faster than this loop.
        NOT_PLAIN.lastIndex = at;
        at = NOT_PLAIN.test(text) ? NOT_PLAIN.lastIndex - 2 : length;
        plainInARow = 0;
        continue;
      }
      plainInARow = 0;
      if (kind === DIGIT) digits++;
      else if (kind === ODD) odd = true;
      else if (code === QUOTE) {
        this.at = at + 1;
        traits.digits = digits;
        traits.odd = odd;
        traits.escaped = escaped;
        traits.disguised = disguised;
        return;
      } else if (code === 92) {
        escaped = true;
        const next = text.charCodeAt(at + 1);
        if (next === 117 || next === 47) disguised = true;
        at = this.skipEscape(at);
      } else break;
    }
    this.at = at;
    this.malformed();
  }

  /** From the backslash of an escape to its last sign. */
  private skipEscape(at: number): number {
    const { text } = this;
    const code = text.charCodeAt(at + 1);
    if (code === 117) {
      for (let k = 2; k < 6; k++) {
        const hex = text.charCodeAt(at + k) | 32;
        if (!((hex >= 48 && hex <= 57) || (hex >= 97 && hex <= 102))) this.malformedAt(at);
        if (text.charCodeAt(at + k) < 48) this.malformedAt(at);
      }
      return at + 5;
    }
    // " \ / b f n r t
    const known = code === QUOTE || code === 92 || code === 47 || code === 98 || code === 102 || code === 110;
    if (!known && code !== 114 && code !== 116) this.malformedAt(at);
    return at + 1;
  }

  private skipNumber(): void {
    const { text } = this;
    let code = text.charCodeAt(this.at);
    if (code === 45) code = text.charCodeAt(++this.at);
    if (code === 48) this.at++;
    else this.skipDigits();
    if (text.charCodeAt(this.at) === 46) {
      this.at++;
      this.skipDigits();
    }
    if ((text.charCodeAt(this.at) | 32) === 101) {
      code = text.charCodeAt(++this.at);
      if (code === 43 || code === 45) this.at++;
      this.skipDigits();
    }
  }

  private skipDigits(): void {
    const { text } = this;
    const start = this.at;
    let code = text.charCodeAt(this.at);
    while (code >= 48 && code <= 57) code = text.charCodeAt(++this.at);
    if (this.at === start) this.malformed();
  }

  private skipWord(code: number): void {
    const word = code === 116 ? "true" : code === 102 ? "false" : "null";
    if (!this.text.startsWith(word, this.at)) this.malformed();
    this.at += word.length;
  }

  private malformed(): never {
    this.malformedAt(this.at);
  }

  private malformedAt(offset: number): never {
    throw new JsonRefused("malformed_json", offset);
  }
}

function openFrame(parent: JsonFrame | undefined, array: boolean, key: string, index: number): JsonFrame {
  return { parent, array, key, index, keys: [], seen: undefined, count: 0, labelStart: -1, labelEnd: -1 };
}

function isDuplicate(frame: JsonFrame, key: string): boolean {
  const { keys } = frame;
  if (keys.length < COMPARED_KEYS_MAX) return keys.includes(key);
  frame.seen ??= new Set(keys);
  if (frame.seen.has(key)) return true;
  frame.seen.add(key);
  return false;
}
