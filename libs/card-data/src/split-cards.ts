import { brandOf } from "./brands.js";
import { passesLuhn } from "./luhn.js";
import { digitGroups } from "./digit-groups.js";
import { findPans } from "./pan.js";
import type { PanContext } from "./pan-judge.js";
import type { LocalFinding, Rewrite } from "./rewrite.js";

/** One of several strings that stand side by side in a message and may hold a card between them. */
export interface Fragment {
  value: string;
}

/** The part of a card that a fragment holds, in units of its value. */
export interface SplitPart<T extends Fragment> {
  fragment: T;
  finding: LocalFinding;
  rewrite: Rewrite;
}

/** A longer fragment can only end or begin a card; so much of its ends is looked at. */
const EDGE_UNITS = 40;
/** Stands where the middle of a long fragment is left out. */
const GAP = "\u0001";

/**
 * Cards that lie over the borders of neighbours: `["4111", "1111", …]`, or text blocks that were cut within a number.
 * Only numbers of a known range with a valid check digit count.
 */
export function findSplitCards<T extends Fragment>(neighbours: readonly T[]): SplitPart<T>[] {
  for (const joint of ["", " "]) {
    const parts = findJoined(neighbours, joint);
    if (parts.length > 0) return parts;
  }
  return [];
}

function findJoined<T extends Fragment>(neighbours: readonly T[], joint: string): SplitPart<T>[] {
  let text = "";
  const units = neighbours.reduce((sum, { value }) => sum + Math.min(value.length, 2 * EDGE_UNITS) + 2, 0);
  /** For each unit of `text` the fragment it is of, and its offset there; -1 for joints. */
  const owner = new Int32Array(units).fill(-1);
  const offset = new Int32Array(units);
  const append = (piece: string, of: number, from: number) => {
    for (let i = 0; i < piece.length; i++) {
      owner[text.length + i] = of;
      offset[text.length + i] = from + i;
    }
    text += piece;
  };
  for (const [i, { value }] of neighbours.entries()) {
    if (i > 0) text += joint;
    if (value.length <= 2 * EDGE_UNITS) append(value, i, 0);
    else {
      append(value.slice(0, EDGE_UNITS), i, 0);
      text += GAP;
      append(value.slice(-EDGE_UNITS), i, value.length - EDGE_UNITS);
    }
  }

  const parts: SplitPart<T>[] = [];
  for (const pan of findPans(text, digitGroups(text), NO_CONTEXT)) {
    const { digits, brand } = pan.readings[0]!;
    if (!brand || !passesLuhn(digits) || !brandOf(digits) || owner[pan.from] === owner[pan.to - 1]) continue;
    let seen = 0;
    const pieces = new Map<number, { start: number; masked: string }>();
    for (let at = pan.from; at < pan.to; at++) {
      const of = owner[at]!;
      const isDigit = /\d/.test(text.charAt(at));
      const hidden = isDigit && seen >= pan.showFirst && seen < digits.length - pan.showLast;
      if (isDigit) seen++;
      if (of < 0) continue;
      const piece = pieces.get(of) ?? { start: offset[at]!, masked: "" };
      piece.masked += hidden ? "*" : text.charAt(at);
      pieces.set(of, piece);
    }
    for (const [of, { start, masked }] of pieces) {
      const fragment = neighbours[of]!;
      const end = start + masked.length;
      const finding = {
        kind: "pan" as const,
        brand,
        rule: "pan.split",
        start,
        end,
        digits,
        ends: pan.showLast > 0,
      };
      const withoutSad = fragment.value.slice(start, end);
      parts.push({ fragment, finding, rewrite: { start, end, masked, withoutSad } });
    }
  }
  return parts;
}

const NO_CONTEXT: PanContext = {
  context: false,
  panKey: false,
  other: false,
  contextWords: [],
  allowed: [],
  strictness: "normal",
};
