import { isAllowed } from "./allowed.js";
import { brandOf } from "./brands.js";
import { digitGroups, joins, PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";
import type { Folded } from "./fold.js";
import { foldUnicode } from "./fold.js";
import { passesLuhn } from "./luhn.js";
import { findPans } from "./pan.js";
import type { PanContext, Reading } from "./pan-judge.js";
import type { LocalFinding, Rewrite } from "./rewrite.js";
import { starsFor } from "./stars.js";
import type { Tail } from "./stream-tail.js";
import { isDigit, JOINT, RUN_UNITS_MAX } from "./stream-tail.js";

/** What a text holds of a card that messages before it began, in units of its value. */
export interface JoinedCard {
  readonly finding: LocalFinding;
  readonly rewrite: Rewrite;
  /** Whether the text has nothing after the card. */
  readonly isEnd: boolean;
}

/** A card over the border between what went before and the text: the text has its digits up to `end`. */
interface Over {
  readonly digits: string;
  /** Where it begins in what went before. */
  readonly from: number;
  /** How many of its digits went out before. */
  readonly before: number;
  readonly end: number;
  /** Whether its last four may be shown. */
  readonly ends: boolean;
}

/** PCI DSS 3.4.1. */
const SHOWN_FIRST = 6;
const SHOWN_LAST = 4;

const AFTER_UNITS = 48;

/**
 * The card that the text goes on with, if there is one. What went out before counts for what may be shown: the last four
 * digits stay only where no more than the first six were shown.
 */
export function joinedCard(tail: Tail, value: string, context: PanContext): JoinedCard | undefined {
  if (tail.tooLong) return undefined;
  const folded = foldUnicode(value.slice(0, RUN_UNITS_MAX + AFTER_UNITS));
  if (!/^[ \-./_]{0,3}\d/.test(folded.text)) return undefined;
  // A number that is cut off here is not judged by its beginning.
  const isWhole = value.length <= RUN_UNITS_MAX + AFTER_UNITS;
  const head = isWhole ? folded.text : folded.text.replace(/\d+$/, "");
  if (isOfAllowedShape(tail, head, context)) return undefined;
  const over =
    glued(tail, head, "", context) ?? glued(tail, head, " ", context) ?? whole(tail, head, context);
  return over && hidden(value, folded, over);
}

function isOfAllowedShape(tail: Tail, head: string, { allowed }: PanContext): boolean {
  if (allowed.length === 0) return false;
  const before = tail.text.replaceAll(JOINT, "");
  const to = before.length + /^\d*/.exec(head)![0].length;
  return isAllowed(before + head, tail.from, to, allowed);
}

/** What lies over the border if messages meet with this between them. */
function glued(tail: Tail, head: string, joint: "" | " ", context: PanContext): Over | undefined {
  if (joint === " " && !(isDigit(tail.text, tail.text.length - 1) && isDigit(head, 0))) return undefined;
  const isOfMany = tail.text.includes(JOINT);
  if (isOfMany && tail.cut) return undefined;
  const before = tail.text.replaceAll(JOINT, joint) + joint;
  // Numbers of four digits, one to a message, would look as if they were printed on a card.
  const found = over(before, head, context, joint === " " || isOfMany);
  // Rows of figures are full of windows: what came in many messages has to begin where they began.
  return isOfMany && found && found.from !== tail.from ? undefined : found;
}

/** A card as a whole that was cut anywhere; separators may stand anywhere in it, but only such as no figures have. */
function whole(tail: Tail, head: string, context: PanContext): Over | undefined {
  if (tail.cut) return undefined;
  const groups = digitGroups(head);
  let last = 0;
  while (last + 2 < groups.length && joins(head, groups[last + 1]!, groups[last + 2]!)) last += 2;
  const end = groups[last + 1]!;
  const run = tail.text.slice(tail.from).replaceAll(JOINT, "") + head.slice(0, end);
  if (/[./_]|[ -]{4}/.test(run) || (run.includes(" ") && run.includes("-"))) return undefined;
  const digits = run.replaceAll(/\D/g, "");
  if (digits.length < PAN_DIGITS_MIN || digits.length > PAN_DIGITS_MAX) return undefined;
  const brand = brandOf(digits);
  if (!brand || brand.weak) return undefined;
  const own = head.slice(0, end).replaceAll(/\D/g, "");
  const before = tail.text.slice(0, tail.from) + digits.slice(0, digits.length - own.length);
  const found = over(before, own + head.slice(end), context, true);
  return found && found.end === own.length && found.digits === digits ? { ...found, end } : undefined;
}

function over(before: string, head: string, context: PanContext, needsBrand: boolean): Over | undefined {
  const text = before + head;
  const border = before.length;
  for (const { from, to, showLast, readings } of findPans(text, digitGroups(text), context)) {
    if (from >= border || to <= border || !readings.some((one) => isCard(one, context, needsBrand))) continue;
    const digits = text.slice(from, to).replaceAll(/\D/g, "");
    const shown = text.slice(from, border).replaceAll(/\D/g, "").length;
    return { digits, from, before: shown, end: to - border, ends: showLast > 0 && shown <= SHOWN_FIRST };
  }
  return undefined;
}

/** What messages hold between them is a card only by its check digit, whatever the names around it say. */
function isCard({ digits, rule }: Reading, { panKey, strictness }: PanContext, needsBrand: boolean): boolean {
  if (rule === "pan.run" || !passesLuhn(digits)) return false;
  return brandOf(digits) !== undefined || panKey || strictness !== "normal" || !needsBrand;
}

function hidden(value: string, folded: Folded, { digits, before, end, ends }: Over): JoinedCard {
  const { text, starts, ends: sourceEnds } = folded;
  let seen = before;
  const hides = Array.from({ length: end }, (_, at) => {
    if (!isDigit(text, at)) return false;
    const index = seen++;
    return index >= SHOWN_FIRST && (!ends || index < digits.length - SHOWN_LAST);
  });
  const start = starts?.[0] ?? 0;
  const to = sourceEnds ? sourceEnds[end - 1]! : end;
  const masked = starsFor(value, folded, 0, end, (at) => hides[at] ?? false);
  const brand = brandOf(digits)?.brand;
  return {
    finding: { kind: "pan", brand, rule: "pan.stream", start, end: to, digits, ends },
    rewrite: { start, end: to, masked, withoutSad: value.slice(start, to) },
    isEnd: to === value.length,
  };
}
