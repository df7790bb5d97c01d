import { mayHoldBase64 } from "./base64.js";
import { isBinary } from "./binary.js";
import type { Candidate, Neighbour, Suspicion } from "./candidate.js";
import type { JsonFrame, KeyNode } from "./json-frame.js";
import type { JsonSink } from "./json-reader.js";
import { HAS_DIGIT, HAS_DISGUISE, HAS_ESCAPE, HAS_LONG_WORD, HAS_ODD } from "./json-reader.js";
import { KEY, namesSibling, SENSITIVE_KEYS } from "./keys.js";
import { PAN_DIGITS_MIN } from "./pan.js";
import type { Settings } from "./settings.js";
import {
  CARD_BY_CONTEXT,
  CARD_BY_NAME,
  judgeDigits,
  judgeNumber,
  MAYBE_CARD,
  mayHoldCode,
  mayHoldPinBlock,
  NO_CARD,
} from "./suspicion.js";
import type { TextBytes } from "./text-bytes.js";

const LABEL_UNITS_MAX = 40;
/** A PIN block may do without digits. */
const PIN_BLOCK_UNITS_MIN = 16;
const PIN_BLOCK_UNITS_MAX = 96;

/** Keeps the few tokens that need a closer look. */
export class Collector implements JsonSink {
  readonly candidates: Candidate[] = [];
  readonly neighbours: Neighbour[] = [];
  private readonly bytes: Buffer;
  /** The next `%` and `&`, which may begin an escape; the end of the text where there is none. */
  private percent = -1;
  private ampersand = -1;

  constructor(
    private readonly text: string,
    source: TextBytes,
    private readonly outside: number,
    private readonly settings: Settings,
  ) {
    this.bytes = source.bytes;
  }

  key(frame: JsonFrame, key: KeyNode, start: number, end: number, traits: number): boolean {
    key.label = namesSibling(key.name);
    if (!key.noted) {
      const verdict = this.look(start + 1, end - 1, traits);
      if (verdict !== MAYBE_CARD && verdict !== BINARY) return false;
    }
    this.keep("key", frame, key, 0, start, end, "any");
    return true;
  }

  string(
    frame: JsonFrame | undefined,
    key: KeyNode | undefined,
    index: number,
    start: number,
    end: number,
    traits: number,
  ): void {
    const digits = (traits & HAS_DIGIT) !== 0;
    const units = end - start - 2;
    if (frame) {
      if (digits) this.keepNeighbour(frame, key, index, start, end);
      if (key?.label && end - start <= LABEL_UNITS_MAX) {
        frame.labelStart = start;
        frame.labelEnd = end;
      }
    }
    const verdict = this.look(start + 1, end - 1, traits);
    if (verdict === MAYBE_CARD) {
      this.keep("string", frame, key, index, start, end, "any");
      return;
    }
    const mayBeCode = digits || (units >= PIN_BLOCK_UNITS_MIN && units <= PIN_BLOCK_UNITS_MAX);
    const named = mayBeCode ? this.suspicionByName(frame, key, verdict) : undefined;
    if (verdict === BINARY && named !== "any") this.keep("string", frame, key, index, start, end, "binary");
    else if (named) this.keep("string", frame, key, index, start, end, named);
  }

  number(
    frame: JsonFrame | undefined,
    key: KeyNode | undefined,
    index: number,
    start: number,
    end: number,
  ): void {
    if (end - start < 2) return;
    const verdict = end - start < PAN_DIGITS_MIN ? NO_CARD : this.lookAtNumber(start, end);
    const suspicion = verdict === MAYBE_CARD ? "any" : this.suspicionByName(frame, key, verdict);
    if (suspicion) this.keep("number", frame, key, index, start, end, suspicion);
  }

  private keep(
    what: Candidate["what"],
    frame: JsonFrame | undefined,
    key: KeyNode | undefined,
    index: number,
    start: number,
    end: number,
    suspicion: Suspicion,
  ): void {
    this.candidates.push({ what, frame, key, index, start, end, suspicion });
  }

  private keepNeighbour(
    frame: JsonFrame,
    key: KeyNode | undefined,
    index: number,
    start: number,
    end: number,
  ): void {
    const block = !frame.array && frame.parent?.array === true && key?.name === "text";
    if (!frame.array && !block) return;
    if (!isDigit(this.bytes[start + 1]!) && !isDigit(this.bytes[end - 2]!)) return;
    const list = (block && frame.parent) || frame;
    const position = block ? frame.index : index;
    const token: Candidate = { what: "string", frame, key, index, start, end, suspicion: "any" };
    this.neighbours.push({ token, list, position });
  }

  /** What must be known of the names around a value that by itself is no card data. */
  private suspicionByName(
    frame: JsonFrame | undefined,
    key: KeyNode | undefined,
    verdict: number,
  ): Suspicion | undefined {
    if (verdict === CARD_BY_CONTEXT) return "context";
    const meaning = this.meaningOf(frame, key);
    const named = verdict === CARD_BY_NAME ? SENSITIVE_KEYS | KEY.pan : SENSITIVE_KEYS;
    if ((meaning & named) !== 0) return "any";
    return (meaning & KEY.wrapper) !== 0 ? "name" : undefined;
  }

  /** What the name that a value goes by says, its own or that of the list it stands in. */
  private meaningOf(frame: JsonFrame | undefined, key: KeyNode | undefined): number {
    let holder = frame;
    let node = key;
    while (holder?.array) {
      node = holder.key;
      holder = holder.parent;
    }
    if (!holder) return this.outside & ~KEY.wrapper;
    if (!node) return 0;
    if (node.meaning < 0) node.meaning = this.settings.classify(node.name);
    return node.meaning;
  }

  private look(from: number, to: number, traits: number): number {
    if ((traits & (HAS_ODD | HAS_DISGUISE)) !== 0) return MAYBE_CARD;
    const { text, bytes } = this;
    let verdict = NO_CARD;
    if ((traits & HAS_DIGIT) !== 0) {
      if ((traits & HAS_ESCAPE) !== 0 || beginsAsJson(bytes[from]!) || this.holdsEscapes(from, to)) {
        if (mayHoldEscaped(text, bytes, from, to)) return MAYBE_CARD;
      } else {
        verdict = judgeDigits(text, bytes, from, to);
        if (verdict === MAYBE_CARD || mayHoldCode(text, bytes, from, to)) return MAYBE_CARD;
        if ((traits & HAS_LONG_WORD) !== 0 && mayHoldPinBlock(text, bytes, from, to)) return MAYBE_CARD;
      }
    }
    if ((traits & HAS_LONG_WORD) === 0) return verdict;
    if (mayHoldBase64(bytes, from, to)) return MAYBE_CARD;
    if (!isBinary(text, from, to)) return verdict;
    return verdict === NO_CARD && (traits & HAS_ESCAPE) === 0 ? BINARY : MAYBE_CARD;
  }

  private lookAtNumber(start: number, end: number): number {
    const { bytes } = this;
    const from = bytes[start] === HYPHEN ? start + 1 : start;
    let at = from;
    while (at < end && isDigit(bytes[at]!)) at++;
    if (at === end) {
      return end - from < PAN_DIGITS_MIN ? NO_CARD : judgeNumber(this.text, bytes, from, end);
    }
    // An exponent may undo a fraction; a fraction of nothing but zeros is none.
    return hasFraction(bytes, at, end) ? NO_CARD : MAYBE_CARD;
  }

  private holdsEscapes(from: number, to: number): boolean {
    const { text } = this;
    if (this.percent < from) this.percent = placeOf(text, "%", from);
    if (this.ampersand < from) this.ampersand = placeOf(text, "&", from);
    return this.percent < to || this.ampersand < to;
  }
}

/** A verdict beside those of suspicion.ts: a file in base64, and else nothing. */
const BINARY = 4;

function placeOf(text: string, sign: string, from: number): number {
  const at = text.indexOf(sign, from);
  return at === -1 ? text.length : at;
}

/** JSON in a string has ways of its own to write numbers. */
function beginsAsJson(code: number): boolean {
  // white space [ {
  return code <= 32 || code === 91 || code === 123;
}

const CODE_DIGITS_MIN = 3;
/** Every label of a code or a PIN in running text ends in one of these (see sensitive.ts), and so do heads of columns. */
const MAY_LABEL = /(?:cv[vcnd]|cav|csc|cid|code|value|number|pin|epb|block|blk|no)2?(?:[^a-z0-9+/_]|$)/i;

/** The coarsest look, at text in which digits, labels and what stands between them may be written as escapes. */
function mayHoldEscaped(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  let digits = 0;
  for (let at = from; at < to && digits < PAN_DIGITS_MIN; at++) if (isDigit(bytes[at]!)) digits++;
  if (digits >= PAN_DIGITS_MIN) return true;
  return digits >= CODE_DIGITS_MIN && MAY_LABEL.test(text.slice(from, to));
}

function hasFraction(bytes: Uint8Array, dot: number, end: number): boolean {
  let fraction = false;
  for (let at = dot + 1; at < end; at++) {
    if (!isDigit(bytes[at]!)) return false;
    if (bytes[at] !== ZERO) fraction = true;
  }
  return fraction;
}

const HYPHEN = 45;
const ZERO = 48;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
