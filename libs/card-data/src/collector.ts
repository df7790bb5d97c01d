import type { Candidate, Neighbour, Suspicion } from "./candidate.js";
import { PAN_DIGITS_MIN } from "./digit-groups.js";
import { BINARY, FirstLook } from "./first-look.js";
import type { JsonFrame, KeyNode } from "./json-frame.js";
import type { JsonSink } from "./json-reader.js";
import { readAgain } from "./json-refused.js";
import type { JsonTables } from "./json-tables.js";
import { columnMeaning } from "./json-tables.js";
import { KEY, namesSibling, SENSITIVE_KEYS } from "./keys.js";
import type { Settings } from "./settings.js";
import { CARD_BY_CONTEXT, CARD_BY_NAME, MAYBE_CARD, NO_CARD } from "./suspect-digits.js";
import type { TextBytes } from "./text-bytes.js";
import { endOfMarks, nextMark } from "./text-bytes.js";

const LABEL_UNITS_MAX = 40;
/** A field that holds more digits is no part of a card. */
const PIECE_DIGITS_MAX = 15;
const MAY_BE_PIECE = KEY.piece | KEY.position;
/** A PIN block may do without digits. */
const PIN_BLOCK_UNITS_MIN = 16;
const PIN_BLOCK_UNITS_MAX = 96;

/**
 * Keeps the few tokens that need a closer look. What is a card only if names around it speak of cards is passed over
 * until some name does; where that name may speak of what was passed over, the text has to be read again.
 */
export class Collector implements JsonSink {
  readonly candidates: Candidate[] = [];
  readonly neighbours: Neighbour[] = [];
  /** Whether a column of some table is named for what must be hidden whatever it looks like. */
  namesColumns = false;
  private readonly bytes: Buffer;
  private readonly looks: FirstLook;

  constructor(
    private readonly text: string,
    private readonly source: TextBytes,
    private readonly outside: number,
    private readonly settings: Settings,
    /** Whether any name may speak of cards. */
    private named = false,
    /** Takes the tables' cells, in a reading for which they are known to be there. */
    readonly tables?: JsonTables,
  ) {
    this.bytes = source.bytes;
    this.looks = new FirstLook(text, source, settings);
    if (settings.suspicionMin <= CARD_BY_CONTEXT || (outside & KEY.context) !== 0) this.named = true;
  }

  key(frame: JsonFrame, key: KeyNode, start: number, end: number, traits: number): boolean {
    if (key.meaning < 0) this.meet(key);
    if (!this.named && (key.meaning & KEY.context) !== 0) {
      // A name speaks for its siblings, of which some stand before it, here or where the same keys come again.
      for (let open: JsonFrame | undefined = frame; open; open = open.parent)
        if (open.passedOver) readAgain();
      this.named = true;
    }
    if (!key.noted) {
      const verdict = this.looks.string(start + 1, end - 1, traits, this.named);
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
      else if (key?.block) this.keepBlock(frame, key, index, start, end);
      else if (key && (key.meaning & MAY_BE_PIECE) !== 0 && end - start <= PIECE_DIGITS_MAX + 2) {
        this.keepMember(frame, key, index, start, end);
      }
      if (key?.label && end - start <= LABEL_UNITS_MAX) {
        frame.labelStart = start;
        frame.labelEnd = end;
        const list = frame.parent;
        if (list?.array && this.mayBeHead(list)) this.noteColumn(list, frame.index, start, end);
      }
    }
    let verdict = this.looks.string(start + 1, end - 1, traits, this.named);
    if (verdict === MAYBE_CARD) {
      this.keep("string", frame, key, index, start, end, "any");
      return;
    }
    const meaning = this.meaningOf(frame, key);
    if (verdict === CARD_BY_NAME && !this.named && this.needsNames(frame, meaning)) {
      verdict = this.looks.string(start + 1, end - 1, traits, true);
    }
    let named = this.suspicionByName(meaning, verdict);
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
    let verdict = end - start < PAN_DIGITS_MIN ? NO_CARD : this.looks.number(start, end, this.named);
    const meaning = this.meaningOf(frame, key);
    if (verdict === CARD_BY_NAME && !this.named && this.needsNames(frame, meaning)) {
      verdict = this.looks.number(start, end, true);
    }
    const suspicion = verdict === MAYBE_CARD ? "any" : this.suspicionByName(meaning, verdict);
    if (suspicion) this.keep("number", frame, key, index, start, end, suspicion);
  }

  private meet(key: KeyNode): void {
    key.label = namesSibling(key.name);
    key.block = key.name === "text";
    key.meaning = this.settings.classify(key.name);
  }

  /**
   * Whether a token has to be judged as if names spoke of cards although none has so far: its holder's label may. Others
   * are passed over.
   */
  private needsNames(frame: JsonFrame | undefined, meaning: number): boolean {
    if ((meaning & KEY.wrapper) !== 0) return true;
    let holder = frame;
    while (holder?.array) holder = holder.parent;
    if (holder) holder.passedOver = true;
    return false;
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
    if (frame.key) return (frame.key.meaning & KEY.head) !== 0;
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
    const meaning = key.meaning;
    if ((meaning & KEY.whole) !== 0) return;
    if ((meaning & KEY.piece) === 0) {
      const around = frame.key ? meaning | frame.key.meaning : meaning;
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
  private suspicionByName(meaning: number, verdict: number): Suspicion | undefined {
    if (verdict >= this.settings.suspicionMin && verdict <= MAYBE_CARD) return "any";
    if (verdict === CARD_BY_CONTEXT) return "context";
    const named = verdict === CARD_BY_NAME ? SENSITIVE_KEYS | KEY.pan : SENSITIVE_KEYS;
    if ((meaning & named) !== 0) return "any";
    return (meaning & KEY.wrapper) !== 0 ? "name" : undefined;
  }

  /** What the name that a value goes by says, its own or that of the list it stands in. */
  private meaningOf(frame: JsonFrame | undefined, key: KeyNode | undefined): number {
    if (key && !frame?.array) return key.meaning;
    let holder = frame;
    let node = key;
    while (holder?.array) {
      node = holder.key;
      holder = holder.parent;
    }
    if (!holder) return this.outside & ~KEY.wrapper;
    return node ? node.meaning : 0;
  }

  /** Whether a field that is named for a code may hold one: a PIN block may do without digits. */
  private mayBeCode(from: number, to: number): boolean {
    const units = to - from;
    if (units >= PIN_BLOCK_UNITS_MIN && units <= PIN_BLOCK_UNITS_MAX) return true;
    return nextMark(this.source.marks.digits, from, to) < to;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
