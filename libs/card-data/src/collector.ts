import { isWorthDecoding, mayHoldBase64 } from "./base64.js";
import { isBinary } from "./binary.js";
import { IS_BASE64, IS_DIGIT, nextRun, runEnd } from "./byte-runs.js";
import type { Candidate, Neighbour, Suspicion } from "./candidate.js";
import { deservesLook, GLANCE_UNITS_MAX } from "./glance.js";
import type { JsonFrame, KeyNode } from "./json-frame.js";
import type { JsonSink } from "./json-reader.js";
import { HAS_DIGIT, HAS_DISGUISE, HAS_ESCAPE, HAS_LONG_WORD, HAS_ODD } from "./json-tokens.js";
import { KEY, namesSibling, SENSITIVE_KEYS } from "./keys.js";
import { PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";
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
import { beginsAsJson, mayHoldEscaped } from "./suspect-escapes.js";
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
  private readonly view: DataView;
  private readonly percents: SignPlaces;
  private readonly ampersands: SignPlaces;
  private readonly hyphens: SignPlaces;

  constructor(
    private readonly text: string,
    source: TextBytes,
    private readonly outside: number,
    private readonly settings: Settings,
  ) {
    this.bytes = source.bytes;
    this.view = source.view;
    this.percents = new SignPlaces(text, "%");
    this.ampersands = new SignPlaces(text, "&");
    this.hyphens = new SignPlaces(text, "-");
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
    const json = beginsAsJson(bytes[from]!);
    if (json && (traits & HAS_ESCAPE) !== 0) return MAYBE_CARD;
    const longWord = (traits & HAS_LONG_WORD) !== 0;
    let verdict = NO_CARD;
    if ((traits & HAS_DIGIT) !== 0) {
      if (json || (traits & HAS_ESCAPE) !== 0 || this.holdsEscapes(from, to)) {
        if (mayHoldEscaped(text, bytes, from, to)) return MAYBE_CARD;
      } else if (this.isNumber(from, to)) {
        // What digits stand for in base64 never has two digits side by side.
        return judgeNumber(text, bytes, from, to);
      } else if (to - from > GLANCE_UNITS_MAX || deservesLook(bytes, this.view, from, to)) {
        if (longWord && to - from >= BLOB_UNITS_MIN) {
          const blob = nextRun(bytes, IS_BASE64, BLOB_UNITS_MIN, from, to);
          const end = blob < 0 || this.hyphens.from(blob) < to ? -1 : runEnd(bytes, IS_BASE64, blob, to);
          if (end >= to - PADDING_MAX) return this.lookAtBlob(from, to, blob, end);
        }
        verdict = judgeDigits(text, bytes, from, to);
        if (mayHoldCode(text, bytes, from, to)) return MAYBE_CARD;
      }
      if (verdict === MAYBE_CARD) return MAYBE_CARD;
      if (longWord && mayHoldPinBlock(text, bytes, from, to)) return MAYBE_CARD;
    }
    if (!longWord) return verdict;
    if (mayHoldBase64(bytes, from, to)) return MAYBE_CARD;
    if (!isBinary(text, from, to)) return verdict;
    return verdict === NO_CARD && (traits & HAS_ESCAPE) === 0 ? BINARY : MAYBE_CARD;
  }

  /** Whether a string is nothing but the digits that a card may have. */
  private isNumber(from: number, to: number): boolean {
    const units = to - from;
    if (units < PAN_DIGITS_MIN || units > PAN_DIGITS_MAX || !isDigit(this.bytes[to - 1]!)) return false;
    return runEnd(this.bytes, IS_DIGIT, from, to) === to;
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
    return this.percents.from(from) < to || this.ampersands.from(from) < to;
  }

  /** What `look` asks of a long value in base64: within it nothing parts digits, and it need be walked only once. */
  private lookAtBlob(from: number, to: number, blob: number, end: number): number {
    const { text, bytes } = this;
    const verdict = judgeDigits(text, bytes, from, to);
    if (verdict === MAYBE_CARD) return MAYBE_CARD;
    const labelsEnd = Math.min(to, blob + PIN_BLOCK_UNITS_MAX);
    const suspect =
      mayHoldCode(text, bytes, from, labelsEnd) ||
      mayHoldPinBlock(text, bytes, from, labelsEnd) ||
      isWorthDecoding(bytes, blob, end) ||
      mayHoldBase64(bytes, from, blob);
    if (suspect) return MAYBE_CARD;
    if (!isBinary(text, from, to)) return verdict;
    return verdict === NO_CARD ? BINARY : MAYBE_CARD;
  }
}

const BLOB_UNITS_MIN = 256;
/** Signs that may follow a run of base64. */
const PADDING_MAX = 2;

/** The places of a sign in a text, asked for in order. */
class SignPlaces {
  private next = -1;

  constructor(
    private readonly text: string,
    private readonly sign: string,
  ) {}

  /** The first place from `at` on; the end of the text where there is none. */
  from(at: number): number {
    if (this.next < at) {
      const place = this.text.indexOf(this.sign, at);
      this.next = place === -1 ? this.text.length : place;
    }
    return this.next;
  }
}

/** A verdict beside those of suspicion.ts: a file in base64, and else nothing. */
const BINARY = 4;

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
