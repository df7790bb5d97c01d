export const PAN_DIGITS_MIN = 12;
export const PAN_DIGITS_MAX = 19;

/** Between two groups of one card stand at most this many separators. */
const SEPARATORS_MAX = 3;

/**
 * Whether the stretch has digits enough for a card with nothing but separators between them, or an escape that may
 * hide some. Says yes too often, never no wrongly: most identifiers and dates get no closer look.
 */
export function mayHoldCard(text: string, start: number, end: number): boolean {
  let digits = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) {
      if (++digits >= PAN_DIGITS_MIN) return true;
    } else if (!isSeparator(code)) {
      // % & \
      if (code === 37 || code === 38 || code === 92) return true;
      digits = 0;
    }
  }
  return false;
}

const NEXT_DIGIT = /[0-9]/g;
const WALKED_UNITS = 24;

/** The runs of ASCII digits in folded text, as flat pairs of offsets. */
export function digitGroups(text: string): number[] {
  const groups: number[] = [];
  const { length } = text;
  let others = 0;
  for (let i = 0; i < length; i++) {
    let code = text.charCodeAt(i);
    if (code < 48 || code > 57) {
      if (++others < WALKED_UNITS) continue;
      // Over prose a regular expression's search is several times faster than this loop.
      NEXT_DIGIT.lastIndex = i + 1;
      if (!NEXT_DIGIT.test(text)) break;
      i = NEXT_DIGIT.lastIndex - 2;
      continue;
    }
    others = 0;
    const start = i;
    do code = text.charCodeAt(++i);
    while (code >= 48 && code <= 57);
    groups.push(start, i);
  }
  return groups;
}

/** Whether digits that end at `from` and go on at `to` may be of one card. */
export function joins(text: string, from: number, to: number): boolean {
  if (to - from > SEPARATORS_MAX) return false;
  for (let i = from; i < to; i++) {
    if (!isSeparator(text.charCodeAt(i))) return false;
  }
  return true;
}

export function isSeparator(code: number): boolean {
  // space - . / _
  return code === 32 || code === 45 || code === 46 || code === 47 || code === 95;
}
