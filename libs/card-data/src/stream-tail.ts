import { digitGroups, joins, PAN_DIGITS_MAX } from "./digit-groups.js";
import { foldUnicode } from "./fold.js";

/** The digits at the end of a text that the next message of its stream may go on with, in folded text. */
export interface Tail {
  /** What stood before the digits, a little of it, then the digits with their separators. */
  readonly text: string;
  /** Where the digits begin. */
  readonly from: number;
  /** Whether more groups stood before them, so that they are not a run as a whole. */
  readonly cut: boolean;
  /** Whether a card ends here, so that what follows is another number. */
  readonly complete: boolean;
  /** Whether they are a longer run than a card: what goes on with them is no card either. */
  readonly tooLong: boolean;
}

/** Stands between the digits of one message and those of the next. */
export const JOINT = "\u0002";
/** Stands where something is left out. */
const GAP = "\u0001";

/** Words before a number tell what it is; see surroundings.ts. */
const CONTEXT_UNITS = 64;
/** Nineteen digits with three separators after each, and invisible signs between them. */
export const RUN_UNITS_MAX = 160;

/** What may be a piece of a number. Amounts and progress (`7/300`) are whole by themselves: many of them make no number. */
const PIECE = /^[ \-./_]{0,3}\d[\d -]*[ \-./_]{0,3}$/;
const SEPARATORS = /^[ \-./_]*$/;
const TOO_LONG: Tail = { text: "", from: 0, cut: false, complete: false, tooLong: true };

/** What a text leaves to be gone on with, after what the message before it left at the same place. */
export function nextTail(before: Tail | undefined, value: string): Tail | undefined {
  if (value === "") return before;
  const { text } = foldUnicode(value.slice(-(RUN_UNITS_MAX + CONTEXT_UNITS)));
  const isWhole = value.length <= RUN_UNITS_MAX + CONTEXT_UNITS;
  if (before && isWhole && SEPARATORS.test(text)) {
    const { text: run } = before;
    const gap = /[ \-./_]*$/.exec(run)![0] + text;
    return before.tooLong || !joins(gap, 0, gap.length) ? undefined : { ...before, text: run + text };
  }
  const own = tailOf(text, !isWhole);
  const goesOn = own && before && !before.complete && isWhole && PIECE.test(text);
  if (!goesOn) return own;
  if (before.tooLong || own.tooLong) return TOO_LONG;
  return shortened({ ...before, text: `${before.text}${JOINT}${text}` });
}

function tailOf(text: string, isCutOff: boolean): Tail | undefined {
  const groups = digitGroups(text);
  const last = groups.length - 2;
  if (last < 0 || !joins(text, groups[last + 1]!, text.length)) return undefined;
  let first = last;
  let digits = groups[last + 1]! - groups[last]!;
  if (digits > PAN_DIGITS_MAX) return TOO_LONG;
  const goesBack = () => first > 0 && joins(text, groups[first - 1]!, groups[first]!);
  while (goesBack() && digits + groups[first - 1]! - groups[first - 2]! <= PAN_DIGITS_MAX) {
    first -= 2;
    digits += groups[first + 1]! - groups[first]!;
  }
  const from = groups[first]!;
  // What is left of a card that was masked belongs to no other one.
  if (/\*[ \-./_]{0,3}$/.test(text.slice(0, from))) return undefined;
  const cut = goesBack() || (isCutOff && first === 0 && from === 0);
  const context = cut ? GAP : text.slice(Math.max(0, from - CONTEXT_UNITS), from);
  return {
    text: context + text.slice(from),
    from: context.length,
    cut,
    complete: false,
    tooLong: false,
  };
}

/** The same without its first groups, where they are more digits than a card has. */
function shortened(tail: Tail): Tail {
  const run = tail.text.slice(tail.from);
  const glued = run.replaceAll(JOINT, "");
  const groups = digitGroups(glued);
  let left = groups.reduce((sum, at, i) => (i % 2 === 0 ? sum - at : sum + at), 0);
  let dropped = 0;
  let first = 0;
  for (; left > PAN_DIGITS_MAX; first += 2) {
    const size = groups[first + 1]! - groups[first]!;
    if (first === groups.length - 2) return TOO_LONG;
    left -= size;
    dropped += size;
  }
  if (dropped === 0) return tail;
  let at = 0;
  for (let seen = 0; seen < dropped || !isDigit(run, at); at++) if (isDigit(run, at)) seen++;
  return { ...tail, text: GAP + run.slice(at), from: 1, cut: true };
}

export const isDigit = (text: string, at: number): boolean => /\d/.test(text.charAt(at));

/** The last message's share of a tail. */
export const lastShare = ({ text, from }: Tail): string => text.slice(from).split(JOINT).at(-1) ?? "";
