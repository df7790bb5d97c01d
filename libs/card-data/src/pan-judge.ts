import type { Strictness } from "@countersign/contracts";

import type { AllowedShape } from "./allowed.js";
import { isAllowed } from "./allowed.js";
import type { Brand } from "./brands.js";
import { brandOf } from "./brands.js";
import { passesLuhn } from "./luhn.js";
import {
  isDecimalFraction,
  isInsideHex,
  isInsideIban,
  isInsideUuid,
  isParcelNumber,
  isPhoneLike,
  labelsCard,
  namesAnotherNumber,
  speaksOfCards,
} from "./surroundings.js";

/** Digits of a card, as one way of reading the text has them. */
export interface Reading {
  digits: string;
  brand: string | undefined;
  rule: string;
}

export interface PanContext {
  /** The field's name, an ancestor's or a sibling's speaks of cards. */
  context: boolean;
  /** The field is named as one that holds a card number. */
  panKey: boolean;
  /** The field is named as one that holds another kind of number. */
  other: boolean;
  contextWords: readonly string[];
  allowed: readonly AllowedShape[];
  strictness: Strictness;
}

const ODD_GROUPS_MAX = 7;

/** The reading of a window of whole groups, `first` to `last` of a cluster from `begin` to `end`, if it is a card. */
export function judge(
  text: string,
  groups: readonly number[],
  first: number,
  last: number,
  begin: number,
  end: number,
  context: PanContext,
): Reading | undefined {
  const from = groups[first]!;
  const to = groups[last + 1]!;
  const single = first === last;
  const shape = single ? "plain" : shapeOf(groups, first, last, begin, end);
  // Rows of figures are full of windows; nobody cuts a card into so many unlike pieces.
  if (shape === "odd" && last - first > 2 * ODD_GROUPS_MAX) return undefined;
  const labelled = labelsCard(text, from);
  const whole = first === begin && last + 2 === end;
  const wholeField = context.panKey && whole && isWholeField(text, from, to);
  let digits = "";
  for (let group = first; group <= last; group += 2) digits += text.slice(groups[group], groups[group + 1]);
  const luhn = passesLuhn(digits);
  // What stands by itself: one number, or groups in a regular way with no further ones beside them.
  const alone = single || (whole && shape !== "odd");
  const anyNumber = context.strictness === "strictest" && alone;
  if (!luhn && !wholeField && !anyNumber && !(labelled && (whole || shape === "card"))) return undefined;
  if (shape === "odd") {
    // A figure with a fraction is one number, whatever words stand around it.
    if (text.slice(from, to).includes(".")) return undefined;
    if (!context.context && !speaksOfCards(text, from, to, context.contextWords)) return undefined;
  }
  // Nor, unless words say so, is one with a fraction that happens to be cut as parts of a card are.
  if (last === first + 2 && text.slice(groups[first + 1], groups[last]) === ".") {
    if (!context.context && !speaksOfCards(text, from, to, context.contextWords)) return undefined;
  }
  if (isAllowed(text, from, to, context.allowed)) return undefined;
  if (single && isDecimalFraction(text, groups, first, begin, end)) return undefined;

  const brand: Brand | undefined = luhn ? brandOf(digits) : undefined;
  if (!context.panKey && !labelled) {
    if (isInsideUuid(text, from, to) || isInsideIban(text, from, to)) return undefined;
    if (single && (isInsideHex(text, from, to) || isParcelNumber(text, from, to))) return undefined;
    if (first === begin && isPhoneLike(text, from, digits.length)) return undefined;
    const other = context.other || namesAnotherNumber(text, from);
    if (other && (!brand || brand.weak)) return undefined;
  }
  if (brand) return { digits, brand: brand.brand, rule: "pan.range" };
  if (luhn) {
    if (context.panKey) return { digits, brand: undefined, rule: "pan.key" };
    const cardShaped = shape === "card";
    if (cardShaped || context.context || speaksOfCards(text, from, to, context.contextWords)) {
      return { digits, brand: undefined, rule: "pan.context" };
    }
    return alone && context.strictness !== "normal"
      ? { digits, brand: undefined, rule: "pan.strict" }
      : undefined;
  }
  if (wholeField) return { digits, brand: undefined, rule: "pan.key" };
  return { digits, brand: undefined, rule: labelled ? "pan.label" : "pan.strict" };
}

/** Whether nothing but blanks and quotes stands around the digits. */
function isWholeField(text: string, from: number, to: number): boolean {
  return !/[^\s"']/.test(text.slice(0, from)) && !/[^\s"']/.test(text.slice(to));
}

/**
 * How groups are cut: as cards are printed (`card`), in another regular way (`regular`), or like dates, phones and
 * figures of tables (`odd`). Digits one by one or two by two count as regular only where nothing else stands beside
 * them: rows of figures would be full of windows otherwise.
 */
export function shapeOf(
  groups: ArrayLike<number>,
  first: number,
  last: number,
  begin: number,
  end: number,
): "card" | "regular" | "odd" {
  const count = (last - first) / 2 + 1;
  const size = (group: number) => groups[group + 1]! - groups[group]!;
  const head = size(first);
  const tail = size(last);
  let uniform = true;
  for (let group = first; group < last; group += 2) if (size(group) !== head) uniform = false;
  if (count === 3 && head === 4 && size(first + 2) === 6 && tail >= 4 && tail <= 5) return "card";
  if (uniform && head === 4 && tail <= 7) return count === 4 && tail === 4 ? "card" : "regular";
  if (count === 2 && head === 6 && tail >= 6) return "regular";
  if (count === 2 && head === 8 && tail >= 5 && tail <= 8) return "regular";
  const whole = first === begin && last + 2 === end;
  const begins = first === begin || size(first - 2) !== head;
  const ends = last + 2 === end || (tail === head && size(last + 2) !== head);
  if (uniform && head <= 2 && tail <= head && begins && ends) return "regular";
  if (uniform && whole && (head === 3 || head === 5) && tail <= head && count >= 3) return "regular";
  return count <= 4 && head <= 12 && bordersAsPrinted(groups, first, last) ? "regular" : "odd";
}

/** Whether groups begin only where those of a printed card do, some of them written together. */
function bordersAsPrinted(groups: ArrayLike<number>, first: number, last: number): boolean {
  let digits = 0;
  let fours = true;
  let amex = true;
  for (let group = first; group <= last; group += 2) {
    if (digits % 4 !== 0) fours = false;
    if (digits !== 0 && digits !== 4 && digits !== 10) amex = false;
    digits += groups[group + 1]! - groups[group]!;
  }
  return digits >= 16 ? fours : amex && digits >= 14;
}
