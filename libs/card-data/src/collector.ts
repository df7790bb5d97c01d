import { BASE64_RUN_MIN, mayHoldBase64 } from "./base64.js";
import { isBinary } from "./binary.js";
import type { JsonFrame, JsonSink, StringTraits } from "./json-reader.js";
import { KEY, SENSITIVE_KEYS } from "./keys.js";
import { isLabel } from "./meanings.js";
import { mayHoldCard, PAN_DIGITS_MIN } from "./pan.js";
import type { Settings } from "./settings.js";

/** A token that may hold card data: a string, a number or an object's key, with its offsets in the text. */
export interface Candidate {
  what: "string" | "number" | "key";
  frame: JsonFrame | undefined;
  key: string;
  index: number;
  start: number;
  end: number;
}

/** A string of a list, or of a list's object, that begins or ends with a digit. */
export interface Neighbour extends Candidate {
  list: JsonFrame;
  position: number;
}

/** Fewer digits than a verification code has are no card data. */
const DIGITS_MIN = 3;
const NUMBER_UNITS_MIN = 12;
const LABEL_UNITS_MAX = 40;
/** Keeps the few tokens that need a closer look. */
export class Collector implements JsonSink {
  readonly candidates: Candidate[] = [];
  readonly neighbours: Neighbour[] = [];

  constructor(
    private readonly text: string,
    private readonly settings: Settings,
  ) {}

  key(frame: JsonFrame, key: string, start: number, end: number, traits: StringTraits): void {
    if (!this.isWorthALook(start, end, traits)) return;
    this.candidates.push({ what: "key", frame, key, index: 0, start, end });
  }

  string(
    frame: JsonFrame | undefined,
    key: string,
    index: number,
    start: number,
    end: number,
    traits: StringTraits,
  ): void {
    if (frame && traits.digits > 0) this.keepNeighbour(frame, key, index, start, end);
    if (frame && key.length <= 9 && end - start <= LABEL_UNITS_MAX && isLabel(key)) {
      frame.labelStart = start;
      frame.labelEnd = end;
    }
    if (!this.isWorthALook(start, end, traits) && !this.isSensitive(frame, key, traits.digits, end - start)) {
      return;
    }
    this.candidates.push({ what: "string", frame, key, index, start, end });
  }

  number(frame: JsonFrame | undefined, key: string, index: number, start: number, end: number): void {
    const units = end - start;
    if (
      units < NUMBER_UNITS_MIN
        ? !this.isSensitive(frame, key, units, units)
        : hasFraction(this.text, start, end)
    )
      return;
    this.candidates.push({ what: "number", frame, key, index, start, end });
  }

  private keepNeighbour(frame: JsonFrame, key: string, index: number, start: number, end: number): void {
    const block = !frame.array && key === "text" && frame.parent?.array === true;
    if (!frame.array && !block) return;
    if (!isDigitAt(this.text, start + 1) && !isDigitAt(this.text, end - 2)) return;
    const list = (block && frame.parent) || frame;
    const position = block ? frame.index : index;
    this.neighbours.push({ what: "string", frame, key, index, start, end, list, position });
  }

  private isWorthALook(start: number, end: number, traits: StringTraits): boolean {
    if (traits.odd || traits.disguised) return true;
    if (traits.digits >= PAN_DIGITS_MIN && mayHoldCard(this.text, start + 1, end - 1)) return true;
    if (traits.digits >= DIGITS_MIN && MAY_LABEL.test(this.text.slice(start, end))) return true;
    if (end - start <= BASE64_RUN_MIN) return false;
    return isBinary(this.text, start + 1, end - 1) || mayHoldBase64(this.text, start + 1, end - 1);
  }

  /** Whether a short value stands where a code or a PIN may. */
  private isSensitive(frame: JsonFrame | undefined, key: string, digits: number, units: number): boolean {
    if (!frame || digits < 2 || units > SENSITIVE_UNITS_MAX) return false;
    let holder: JsonFrame | undefined = frame;
    let name = key;
    while (holder?.array) {
      name = holder.key;
      holder = holder.parent;
    }
    return (this.settings.classify(name) & (SENSITIVE_KEYS | KEY.wrapper)) !== 0;
  }
}

/** Every label of a code or a PIN in running text ends in one of these (see sensitive.ts). */
const MAY_LABEL = /(?:cv[vcnd]|cav|csc|cid|code|value|number|pin|epb|block|blk|no)2?[^a-z0-9+/_]/i;
/** Beyond this a string is text, and text with few digits needs a label to hold a code. */
const SENSITIVE_UNITS_MAX = 64;

/** Whether a number has a fraction that is not zero, and no exponent that would undo it. */
function hasFraction(text: string, start: number, end: number): boolean {
  let dotted = false;
  let fraction = false;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 46) dotted = true;
    else if (code > 57) return false;
    else if (dotted && code !== 48) fraction = true;
  }
  return fraction;
}

function isDigitAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}
