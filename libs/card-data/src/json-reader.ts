import type { JsonFrame, KeyNode } from "./json-frame.js";
import { KeyTree } from "./json-frame.js";
import type { Stop } from "./json-refused.js";
import { JsonRefused, READ_AGAIN, stop, whereStopped } from "./json-refused.js";
import { decodeJsonString } from "./json-string.js";
import { HAS_ESCAPE, HAS_NON_ASCII, JsonTokens, malformed } from "./json-tokens.js";
import type { TextBytes } from "./text-bytes.js";
import { borrowBytes, returnBytes } from "./text-bytes.js";

/** How deep objects and arrays may nest. */
export const JSON_DEPTH_MAX = 128;

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
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;

/**
 * Reads one strict JSON value (RFC 8259) and tells `sink` of each string, number and key with its offsets. Iterative:
 * depth costs no stack. `source` are the bytes of `text`. The answer is where and why it stopped: where the text is not
 * JSON, names a key twice, nests too deeply or goes on after the value; or that the sink wants it to be read again.
 */
export function readJson(
  text: string,
  source: TextBytes,
  sink: JsonSink | undefined,
  options: JsonReadOptions = {},
): Stop | typeof READ_AGAIN | undefined {
  const reader = new Reader(text, source, sink, options);
  return whereStopped(() => reader.read(options.depthMax ?? JSON_DEPTH_MAX));
}

/** Refuses what `scanJson` refuses; afterwards `JSON.parse` reads the text as every other reader does. */
export function checkJson(text: string, options: JsonReadOptions = {}): void {
  const source = borrowBytes(text);
  try {
    const stopped = readJson(text, source, undefined, options);
    if (stopped && stopped !== READ_AGAIN) throw new JsonRefused(stopped.code, stopped.offset);
  } finally {
    returnBytes(source);
  }
}

class Reader extends JsonTokens {
  private readonly tree: KeyTree;

  constructor(
    text: string,
    source: TextBytes,
    private readonly sink: JsonSink | undefined,
    options: JsonReadOptions,
  ) {
    super(text, source);
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
        if (++depth > depthMax) stop("too_deep", at);
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
          if (at < this.length) stop("trailing_data", at);
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
      if (frame.seen) frame.seen.add(likely.name);
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
      if (!node) stop("duplicate_key", start);
      if (sink && sink.key(frame, node, start, end, traits)) node.noted = true;
    }
    if (this.bytes[end] === COLON) return end + 1;
    const at = this.skipSpace(end);
    if (this.bytes[at] !== COLON) malformed(at);
    return at + 1;
  }
}
