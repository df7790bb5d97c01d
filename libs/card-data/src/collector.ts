import { mayHoldBase64 } from "./base64.js";
import { isBinary } from "./binary.js";
import type { Candidate, Neighbour, Suspicion } from "./candidate.js";
import type { JsonFrame, KeyNode } from "./json-frame.js";
import type { JsonSink } from "./json-reader.js";
import { HAS_DISGUISE, HAS_ESCAPE, HAS_ODD } from "./json-tokens.js";
import type { JsonTables } from "./json-tables.js";
import { columnMeaning } from "./json-tables.js";
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
import { mayHoldTable } from "./search-tables.js";
import { beginsAsInsert, beginsAsJson, mayHoldEscaped } from "./suspect-escapes.js";
import type { TextBytes } from "./text-bytes.js";
import { endOfMarks, nextMark } from "./text-bytes.js";

const LABEL_UNITS_MAX = 40;
/** A field that holds more digits is no part of a card. */
const PIECE_DIGITS_MAX = 15;
/** A PIN block may do without digits. */
const PIN_BLOCK_UNITS_MIN = 16;
const PIN_BLOCK_UNITS_MAX = 96;

/** Keeps the few tokens that need a closer look. */
export class Collector implements JsonSink {
  readonly candidates: Candidate[] = [];
  readonly neighbours: Neighbour[] = [];
  /** Whether a column of some table is named for what must be hidden whatever it looks like. */
  namesColumns = false;
  private readonly bytes: Buffer;

  constructor(
    private readonly text: string,
    private readonly source: TextBytes,
    private readonly outside: number,
    private readonly settings: Settings,
    /** Takes the tables' cells, in a reading for which they are known to be there. */
    readonly tables?: JsonTables,
  ) {
    this.bytes = source.bytes;
  }

  key(frame: JsonFrame, key: KeyNode, start: number, end: number, traits: number): boolean {
    key.label = namesSibling(key.name);
    if (!key.noted) {
      const verdict = this.look(start + 1, end - 1, traits);
      if (verdict < this.settings.suspicionMin) return false;
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
    if (frame) {
      if (frame.array) this.keepElement(frame, key, index, start, end);
      else if (key?.name === "text") this.keepBlock(frame, key, index, start, end);
      else if (key && end - start <= PIECE_DIGITS_MAX + 2 && isDigit(this.bytes[end - 2]!)) {
        this.keepMember(frame, key, index, start, end);
      }
      if (key?.label && end - start <= LABEL_UNITS_MAX) {
        frame.labelStart = start;
        frame.labelEnd = end;
        const list = frame.parent;
        if (list?.array && this.mayBeHead(list)) this.noteColumn(list, frame.index, start, end);
      }
    }
    const verdict = this.look(start + 1, end - 1, traits);
    if (verdict === MAYBE_CARD) {
      this.keep("string", frame, key, index, start, end, "any");
      return;
    }
    let named = this.suspicionByName(frame, key, verdict);
    if (named && !this.mayBeCode(start + 1, end - 1)) named = undefined;
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
    if (frame?.array) {
      this.tables?.addCell({ what: "number", frame, key, index, start, end, suspicion: "any" });
    }
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

  /** Whether a list may be the head of a table: the first of a list of lists, or one that is named for it. */
  private mayBeHead(frame: JsonFrame): boolean {
    if (frame.key) return (this.meaningOfKey(frame.key) & KEY.head) !== 0;
    return frame.index === 0 && frame.parent?.array === true;
  }

  /** A column of the table whose head is the list `frame`. */
  private noteColumn(frame: JsonFrame, index: number, start: number, end: number): void {
    const meaning = columnMeaning(this.text, start, end, this.settings);
    if (meaning === 0) return;
    this.namesColumns = true;
    this.tables?.addHead(frame.parent, index, meaning);
  }

  private keepElement(frame: JsonFrame, key: KeyNode | undefined, index: number, start: number, end: number) {
    this.keepNeighbour(frame, index, true, frame, key, index, start, end);
    if (this.mayBeHead(frame)) this.noteColumn(frame, index, start, end);
    this.tables?.addCell({ what: "string", frame, key, index, start, end, suspicion: "any" });
  }

  /** A text block of a list, or of something in a list. */
  private keepBlock(frame: JsonFrame, key: KeyNode, index: number, start: number, end: number): void {
    const block = frame.parent?.array === true ? frame : frame.parent;
    const list = block?.parent;
    if (block && list?.array) this.keepNeighbour(list, block.index, true, frame, key, index, start, end);
  }

  /** A member of an object may be one of several that make a card together. */
  private keepMember(frame: JsonFrame, key: KeyNode, index: number, start: number, end: number): void {
    if (endOfMarks(this.source.marks.digits, start + 1) !== end - 1) return;
    const meaning = this.meaningOfKey(key);
    if ((meaning & KEY.whole) !== 0) return;
    if ((meaning & KEY.piece) === 0) {
      const around = frame.key ? meaning | this.meaningOfKey(frame.key) : meaning;
      if ((meaning & KEY.position) === 0 || (around & KEY.context) === 0) return;
    }
    this.keepNeighbour(frame, key.count, false, frame, key, index, start, end);
  }

  private keepNeighbour(
    list: JsonFrame,
    position: number,
    ordered: boolean,
    frame: JsonFrame,
    key: KeyNode | undefined,
    index: number,
    start: number,
    end: number,
  ): void {
    if (!isDigit(this.bytes[start + 1]!) && !isDigit(this.bytes[end - 2]!)) return;
    const token: Candidate = { what: "string", frame, key, index, start, end, suspicion: "any" };
    this.neighbours.push({ token, list, position, ordered });
  }

  /** What must be known of the names around a value that by itself is no card data. */
  private suspicionByName(
    frame: JsonFrame | undefined,
    key: KeyNode | undefined,
    verdict: number,
  ): Suspicion | undefined {
    if (verdict >= this.settings.suspicionMin && verdict <= MAYBE_CARD) return "any";
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
    return node ? this.meaningOfKey(node) : 0;
  }

  private meaningOfKey(key: KeyNode): number {
    if (key.meaning < 0) key.meaning = this.settings.classify(key.name);
    return key.meaning;
  }

  private look(from: number, to: number, traits: number): number {
    if ((traits & (HAS_ODD | HAS_DISGUISE)) !== 0) return MAYBE_CARD;
    const { text, source } = this;
    const { bytes, marks } = source;
    const json = beginsAsJson(bytes[from]!);
    let first = nextMark(marks.looks, from, to);
    // A number right at the beginning is no code.
    if (first === from + 2 && isDigit(bytes[first]!)) first = nextMark(marks.looks, first + 1, to);
    if (first === to && !json) return NO_CARD;
    const plain = !json && nextMark(marks.escapes, first, to) === to;
    if (!plain) {
      if (json && (traits & HAS_ESCAPE) !== 0) return MAYBE_CARD;
      if (nextMark(marks.digits, from, to) < to && mayHoldEscaped(text, source, from, to)) return MAYBE_CARD;
    }
    let verdict = NO_CARD;
    if (plain) {
      // What digits stand for in base64 never has two digits side by side.
      if (this.isNumber(from, to)) return judgeNumber(bytes, from, to);
      verdict = judgeDigits(text, source, from, to, this.settings.contextWords);
      if (verdict === MAYBE_CARD || mayHoldCode(text, source, first, from, to)) return MAYBE_CARD;
      if (beginsAsInsert(bytes[from]!, bytes[from + 1]!) && mayHoldTable(text.slice(from, to))) {
        return MAYBE_CARD;
      }
    }
    if (mayHoldPinBlock(text, source, from, to)) return MAYBE_CARD;
    if (nextMark(marks.words, first, to) === to) return verdict;
    if (mayHoldBase64(source, from, to)) return MAYBE_CARD;
    if (!isBinary(text, from, to)) return verdict;
    return verdict === NO_CARD && (traits & HAS_ESCAPE) === 0 ? BINARY : MAYBE_CARD;
  }

  /** Whether a field that is named for a code may hold one: a PIN block may do without digits. */
  private mayBeCode(from: number, to: number): boolean {
    const units = to - from;
    if (units >= PIN_BLOCK_UNITS_MIN && units <= PIN_BLOCK_UNITS_MAX) return true;
    return nextMark(this.source.marks.digits, from, to) < to;
  }

  /** Whether a string is nothing but the digits that a card may have. */
  private isNumber(from: number, to: number): boolean {
    const units = to - from;
    if (units < PAN_DIGITS_MIN || units > PAN_DIGITS_MAX || !isDigit(this.bytes[to - 1]!)) return false;
    return endOfMarks(this.source.marks.digits, from) === to;
  }

  private lookAtNumber(start: number, end: number): number {
    const { bytes } = this;
    const { digits } = this.source.marks;
    const from = bytes[start] === HYPHEN ? start + 1 : start;
    const dot = endOfMarks(digits, from);
    if (dot === end) return end - from < PAN_DIGITS_MIN ? NO_CARD : judgeNumber(bytes, from, end);
    // An exponent may undo a fraction; a fraction of nothing but zeros is none.
    if ((bytes[dot]! | 32) === LETTER_E || endOfMarks(digits, dot + 1) < end) return MAYBE_CARD;
    let zeros = dot + 1;
    while (bytes[zeros] === ZERO) zeros++;
    return zeros < end ? NO_CARD : MAYBE_CARD;
  }
}

/** A verdict beside those of suspicion.ts: a file in base64, and else nothing. */
const BINARY = 4;

const HYPHEN = 45;
const LETTER_E = 101;
const ZERO = 48;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
