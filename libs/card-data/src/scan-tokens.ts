import { BASE64_RUN_MIN, mayHoldBase64 } from "./base64.js";
import { isBinary } from "./binary.js";
import type { JsonFrame, JsonReadOptions, JsonSink, StringTraits } from "./json-reader.js";
import { readJson } from "./json-reader.js";
import { JsonRefused } from "./json-refused.js";
import { decodeJsonString, encodeJsonFragment, rawOffsets } from "./json-string.js";
import { KeyNames } from "./key-names.js";
import { KEY, SENSITIVE_KEYS } from "./keys.js";
import { mayHoldCard, PAN_DIGITS_MIN } from "./pan.js";
import { scanNumber } from "./scan-number.js";
import type { Place } from "./scan-value.js";
import { scanValue } from "./scan-value.js";
import type { Found, Rewrite } from "./rewrite.js";
import type { Settings } from "./settings.js";
import { findSplitCards } from "./split-cards.js";

/** A token that may hold card data: a string, a number or an object's key, with its offsets in the text. */
interface Candidate {
  what: "string" | "number" | "key";
  frame: JsonFrame | undefined;
  key: string;
  index: number;
  start: number;
  end: number;
}

/** A string of a list, or of a list's object, that begins or ends with a digit. */
interface Neighbour extends Candidate {
  list: JsonFrame;
  position: number;
}

/** A token that does hold some. Findings count units of its value, rewrites count units of the text. */
export interface TokenFound {
  token: Candidate;
  found: Found;
}

/** Fewer digits than a verification code has are no card data. */
const DIGITS_MIN = 3;
const NUMBER_UNITS_MIN = 12;
const LABEL_UNITS_MAX = 40;
/** How many ancestors' names may speak of cards for a value. */
const CONTEXT_ANCESTORS_MAX = 3;

/** Card data in JSON that lies in a string, in units of that string; nothing where the string is not JSON. */
export function scanJsonTokens(text: string, place: Place, settings: Settings): Found | undefined {
  let tokens: TokenFound[];
  try {
    ({ tokens } = findInTokens(text, place, settings, { allowDuplicateKeys: true }));
  } catch (error) {
    if (error instanceof JsonRefused) return undefined;
    throw error;
  }
  return {
    findings: tokens.flatMap(({ token, found }) =>
      found.findings.map((finding) => {
        const [start = 0, end = 0] =
          token.what === "number"
            ? [token.start + finding.start, token.start + finding.end]
            : rawOffsets(text, token.start, [finding.start, finding.end]);
        return { ...finding, start, end };
      }),
    ),
    rewrites: tokens.flatMap(({ found }) => found.rewrites),
  };
}

/**
 * Every token of a JSON text that holds card data, in order.
 *
 * @throws JsonRefused
 */
export function findInTokens(
  text: string,
  place: Place,
  settings: Settings,
  options: JsonReadOptions,
): { tokens: TokenFound[]; names: KeyNames } {
  const names = new KeyNames();
  const collector = new Collector(text, settings);
  readJson(text, collector, options);
  const { candidates, neighbours } = collector;
  if (candidates.length === 0 && neighbours.length < 2) return { tokens: [], names };

  const meanings = new Meanings(text, place.meaning, settings);
  const tokens = candidates.flatMap((token): TokenFound[] => {
    const { what, frame, start, end } = token;
    if (what === "number") {
      const found = scanNumber(text.slice(start, end), meanings.of(token));
      if (!found) return [];
      const rewrites = found.rewrites.map((rewrite) => ({ ...rewrite, start, end }));
      return [{ token, found: { findings: found.findings, rewrites } }];
    }
    const value = decodeJsonString(text, start, end);
    const meaning = what === "key" ? 0 : meanings.of(token);
    const found = scanValue(value, { meaning, depth: place.depth }, settings);
    if (found.findings.length === 0) return [];
    if (what === "key" && frame) {
      const rewrites = names.rewriteKey(text, frame, value, found.rewrites, start, end);
      return [{ token, found: { findings: found.findings, rewrites } }];
    }
    const offsets = rawOffsets(
      text,
      start,
      found.rewrites.flatMap((rewrite) => [rewrite.start, rewrite.end]),
    );
    const rewrites = found.rewrites.map((rewrite, i) =>
      inText(rewrite, offsets[2 * i]!, offsets[2 * i + 1]!),
    );
    return [{ token, found: { findings: found.findings, rewrites } }];
  });
  return { tokens: withSplitCards(text, tokens, neighbours), names };
}

/** Adds the cards that lie over several strings of a list, where nothing was found in the strings themselves. */
function withSplitCards(text: string, tokens: TokenFound[], neighbours: readonly Neighbour[]): TokenFound[] {
  const known = new Set(tokens.map(({ token }) => token.start));
  // Strings with stars are masked already; what they still show belongs to no other card.
  const isOpen = ({ start, end }: Neighbour) => !known.has(start) && !text.slice(start, end).includes("*");
  const parts = runsOf(neighbours.filter(isOpen)).flatMap((run) =>
    findSplitCards(run.map((token) => ({ token, value: decodeJsonString(text, token.start, token.end) }))),
  );
  if (parts.length === 0) return tokens;
  for (const { fragment, finding, rewrite } of parts) {
    const { token } = fragment;
    const [from = 0, to = 0] = rawOffsets(text, token.start, [rewrite.start, rewrite.end]);
    tokens.push({ token, found: { findings: [finding], rewrites: [inText(rewrite, from, to)] } });
  }
  return tokens.toSorted((a, b) => a.token.start - b.token.start);
}

/** Runs of two strings or more that follow each other in one list. */
function runsOf(neighbours: readonly Neighbour[]): Neighbour[][] {
  const runs: Neighbour[][] = [];
  const open = new Map<JsonFrame, Neighbour[]>();
  for (const neighbour of neighbours) {
    const run = open.get(neighbour.list);
    if (run && run.at(-1)!.position + 1 === neighbour.position) {
      if (run.push(neighbour) === 2) runs.push(run);
    } else open.set(neighbour.list, [neighbour]);
  }
  return runs;
}

function inText(rewrite: Rewrite, start: number, end: number): Rewrite {
  return {
    start,
    end,
    masked: encodeJsonFragment(rewrite.masked),
    withoutSad: encodeJsonFragment(rewrite.withoutSad),
  };
}

/** Keeps the few tokens that need a closer look. */
class Collector implements JsonSink {
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

function isLabel(key: string): boolean {
  switch (key) {
    case "name":
    case "key":
    case "field":
    case "label":
    case "id":
    case "param":
    case "fieldName":
    case "parameter":
      return true;
    default:
      return false;
  }
}

/** What the names around a value say of it. */
class Meanings {
  private readonly cards = new Map<JsonFrame, boolean>();

  constructor(
    private readonly text: string,
    private readonly outside: number,
    private readonly settings: Settings,
  ) {}

  of({ frame, key }: Candidate): number {
    const { classify } = this.settings;
    let holder = frame;
    let name = key;
    while (holder?.array) {
      name = holder.key;
      holder = holder.parent;
    }
    // A bare value, or a list of them, means what the string that carries the JSON means.
    if (!holder) return this.outside;
    let meaning = classify(name) | (this.outside & KEY.context);
    if ((meaning & KEY.wrapper) !== 0) {
      meaning |= classify(this.nameOf(holder)) & ~KEY.wrapper;
      if (holder.labelStart >= 0 && !isLabel(name)) {
        meaning |= classify(decodeJsonString(this.text, holder.labelStart, holder.labelEnd)) & ~KEY.wrapper;
      }
    }
    if ((meaning & KEY.context) === 0 && this.speaksOfCards(holder)) meaning |= KEY.context;
    return meaning;
  }

  /** The name that an object goes by: its own key, or that of the list it stands in. */
  private nameOf(frame: JsonFrame): string {
    let holder: JsonFrame | undefined = frame;
    while (holder?.parent?.array) holder = holder.parent;
    return holder?.key ?? "";
  }

  private speaksOfCards(frame: JsonFrame): boolean {
    const known = this.cards.get(frame);
    if (known !== undefined) return known;
    const { classify } = this.settings;
    let speaks = frame.keys.some((key) => (classify(key) & KEY.context) !== 0);
    let ancestor: JsonFrame | undefined = frame;
    for (let i = 0; i < CONTEXT_ANCESTORS_MAX && ancestor && !speaks; i++) {
      speaks = (classify(ancestor.key) & KEY.context) !== 0;
      ancestor = ancestor.parent;
    }
    this.cards.set(frame, speaks);
    return speaks;
  }
}
