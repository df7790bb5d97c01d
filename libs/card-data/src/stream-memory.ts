import { createHash } from "node:crypto";

import type { Finding } from "@countersign/contracts";

import { isSeparator } from "./digit-groups.js";
import type { JsonFrame, KeyNode } from "./json-frame.js";
import { readJson } from "./json-reader.js";
import { decodeJsonString, encodeJsonFragment, rawOffsets } from "./json-string.js";
import type { JoinedCard } from "./joined-card.js";
import { joinedCard } from "./joined-card.js";
import { KeyNames, pointerTo } from "./key-names.js";
import { KEY } from "./keys.js";
import type { PanContext } from "./pan-judge.js";
import type { Rewrite } from "./rewrite.js";
import { applyRewrites } from "./rewrite.js";
import { publicFinding } from "./scan.js";
import type { ScanOptions, Settings } from "./settings.js";
import { prepare } from "./settings.js";
import type { Tail } from "./stream-tail.js";
import { lastShare, nextTail } from "./stream-tail.js";
import { borrowBytes, returnBytes } from "./text-bytes.js";

/** So many places of a stream are remembered, the ones that were written to last. */
export const PLACES_MAX = 64;
const PLACE_UNITS_MAX = 256;

/** What a message is: messages of one kind go on with each other. */
export interface StreamMessage {
  /** What tells its kind, such as its method and the call that it is about. */
  readonly about: string;
  /** Whether the string at a JSON Pointer is something that people or models read. */
  readonly isContent: (path: string) => boolean;
}

interface Leaf {
  readonly frame: JsonFrame | undefined;
  readonly key: KeyNode | undefined;
  readonly index: number;
  readonly start: number;
  readonly end: number;
  /** Whether a number may end it. */
  readonly isOpen: boolean;
}

interface Remembered {
  readonly tail: Tail;
  /** The name of the field, so that others need not be looked up. */
  readonly name: string;
}

/** Fields whose value may come again and again without being a part of anything. */
const IDENTIFIER = /(?:id|token|key|ref|cursor|number|no)$/i;

/**
 * The digits at the ends of a stream's texts, by their places: a card may go on in the next message at the same place.
 * It holds parts of card numbers in the clear, so it lives no longer than its stream.
 */
export class StreamMemory {
  readonly #tails = new Map<string, Remembered>();

  /**
   * Masks what a message, whose own card data is masked already, holds of a card that messages before it began.
   * `json` is strict JSON; `message` is asked for only where it may matter.
   */
  follow(
    json: string,
    message: () => StreamMessage,
    options: ScanOptions,
  ): { masked: string; findings: Finding[] } {
    if (this.#tails.size === 0 && !holdsOpen(json)) return { masked: json, findings: [] };
    const { about, isContent } = message();
    const settings = prepare(options);
    const findings: Finding[] = [];
    const rewrites: Rewrite[] = [];
    const known = new Set([...this.#tails.values()].map(({ name }) => name));
    const leaves = leavesOf(json, known);
    let open = leaves.filter(({ isOpen }) => isOpen).length;
    const after: [string, Remembered | undefined][] = [];
    for (const leaf of leaves) {
      const name = nameOf(leaf);
      // Of more than can be remembered the last ones will be.
      const isKept = leaf.isOpen && open-- <= PLACES_MAX;
      if (!isKept && !known.has(name)) continue;
      const path = pointerTo(leaf.frame, leaf.key, leaf.index, noNames);
      if (!isContent(path)) continue;
      const place = placeOf(about, path);
      const before = this.#tails.get(place)?.tail;
      if (!before && !isKept) continue;
      const value = decodeJsonString(json, leaf.start, leaf.end);
      const says = meaningOf(name, settings);
      const isRepeated = before !== undefined && says.identifies && lastShare(before) === value;
      const joined =
        before && says.mayBePart && !isRepeated ? joinedCard(before, value, says.context) : undefined;
      if (joined) {
        findings.push(publicFinding(joined.finding, path, settings));
        rewrites.push(inJson(json, leaf, joined));
      }
      const tail = tailAfter(isRepeated ? undefined : before, value, joined);
      if (tail || before) after.push([place, tail && { tail, name }]);
    }
    this.#remember(after);
    return { masked: applyRewrites(json, rewrites, "masked"), findings };
  }

  #remember(places: readonly [string, Remembered | undefined][]): void {
    for (const [place, remembered] of places) {
      this.#tails.delete(place);
      if (remembered) this.#tails.set(place, remembered);
      const [oldest] = this.#tails.keys();
      if (this.#tails.size > PLACES_MAX && oldest !== undefined) this.#tails.delete(oldest);
    }
  }
}

/** Whether a number may end some string of the message; the version of JSON-RPC is none. */
function holdsOpen(json: string): boolean {
  for (let quote = json.indexOf('"'); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    if (mayEndInDigit(json, quote) && !isVersion(json, quote)) return true;
  }
  return false;
}

const VERSION = '"2.0"';

function isVersion(json: string, quote: number): boolean {
  const start = quote + 1 - VERSION.length;
  return (
    json.startsWith(VERSION, start) && /"jsonrpc"\s*:\s*$/.test(json.slice(Math.max(0, start - 16), start))
  );
}

/** Whether a digit stands before the quote, what may fold into one, or separators behind either. */
function mayEndInDigit(json: string, quote: number): boolean {
  let at = quote - 1;
  let code = json.charCodeAt(at);
  while (quote - at <= SEPARATORS_MAX && isSeparator(code)) code = json.charCodeAt(--at);
  if (code <= 57) return code >= 48;
  if (code >= 127) return true;
  return code >= 65 && json.charCodeAt(at - 5) === BACKSLASH && json.charCodeAt(at - 4) === LETTER_U;
}

const SEPARATORS_MAX = 3;
const BACKSLASH = 92;
const LETTER_U = 117;

/** What is left to go on with: behind a card that ends the text, its last digits still may be the card's first ones. */
function tailAfter(
  before: Tail | undefined,
  value: string,
  joined: JoinedCard | undefined,
): Tail | undefined {
  if (!joined) return nextTail(before, value);
  if (!joined.isEnd) return nextTail(undefined, applyRewrites(value, [joined.rewrite], "masked"));
  const tail = nextTail(before, value);
  return tail && { ...tail, complete: true };
}

/** What the name of a field says about the digits in it. */
function meaningOf(
  name: string,
  { classify, contextWords, allowed, strictness }: Settings,
): { mayBePart: boolean; identifies: boolean; context: PanContext } {
  const meaning = classify(name);
  const panKey = (meaning & KEY.pan) !== 0;
  return {
    mayBePart: panKey || (meaning & KEY.whole) === 0,
    identifies: !panKey && IDENTIFIER.test(name),
    context: {
      context: (meaning & KEY.context) !== 0,
      panKey,
      other: (meaning & KEY.other) !== 0,
      contextWords,
      allowed,
      // Without the check digit, all that is counted would be a card.
      strictness: strictness === "normal" ? "normal" : "strict",
    },
  };
}

/** The name that a string goes by, its own or that of the list it stands in. */
function nameOf({ frame, key }: Pick<Leaf, "frame" | "key">): string {
  let holder = frame;
  let node = key;
  while (holder?.array) {
    node = holder.key;
    holder = holder.parent;
  }
  return node?.name ?? "";
}

/** The strings that a number may end, and those at names that are known. */
function leavesOf(json: string, known: ReadonlySet<string>): Leaf[] {
  const leaves: Leaf[] = [];
  const source = borrowBytes(json);
  try {
    readJson(json, source, {
      key: () => false,
      number: () => undefined,
      string: (frame, key, index, start, end) => {
        const isOpen = mayEndInDigit(json, end - 1);
        if (!isOpen && (known.size === 0 || !known.has(nameOf({ frame, key })))) return;
        leaves.push({ frame, key, index, start, end, isOpen });
      },
    });
  } finally {
    returnBytes(source);
  }
  return leaves;
}

/** The message is masked already, and so are its names. */
const noNames = new KeyNames();

function inJson(json: string, { start }: Leaf, { rewrite }: JoinedCard): Rewrite {
  const [from = start, to = start] = rawOffsets(json, start, [rewrite.start, rewrite.end]);
  return {
    start: from,
    end: to,
    masked: encodeJsonFragment(rewrite.masked),
    withoutSad: encodeJsonFragment(rewrite.withoutSad),
  };
}

/** Long paths are remembered by their digest. */
function placeOf(about: string, path: string): string {
  const place = `${about}\n${path}`;
  return place.length <= PLACE_UNITS_MAX ? place : createHash("sha256").update(place).digest("hex");
}
