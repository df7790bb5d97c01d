import { mayBeLastOfLabel } from "./code-labels.js";

/** Classes of bytes; a byte may be of several. */
export const CLASSES = new Uint8Array(256);
/** May stand between the name of a code and the code. */
export const IS_GAP = 1;
/** May be the last sign of what names a code. */
export const ENDS_LABEL = 4;
/** A letter or a digit. */
const IS_PLAIN = 2;

for (const sign of " \t\r\n\"'\\:=#()[]>,.-") CLASSES[sign.charCodeAt(0)]! |= IS_GAP;
for (let code = 0; code < 256; code++) if (mayBeLastOfLabel(code)) CLASSES[code]! |= ENDS_LABEL;
for (let code = 0; code < 128; code++) {
  if (/[0-9A-Za-z]/.test(String.fromCharCode(code))) CLASSES[code]! |= IS_PLAIN;
}

/**
 * Where the next stretch of letters and digits begins that has `unitsMin` of them or more; -1 where there is none.
 * Looks at every `unitsMin`th byte, and at others only where that one is plain.
 */
export function nextPlainRun(bytes: Uint8Array, unitsMin: number, from: number, to: number): number {
  for (let probe = from + unitsMin - 1; probe < to;) {
    const startMin = probe - unitsMin + 1;
    let start = probe + 1;
    while (start > startMin && (CLASSES[bytes[start - 1]!]! & IS_PLAIN) !== 0) start--;
    if (start === startMin) return start;
    probe = start + unitsMin - 1;
  }
  return -1;
}

/** Where the letters and digits end that begin at an offset. */
export function plainRunEnd(bytes: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && (CLASSES[bytes[end]!]! & IS_PLAIN) !== 0) end++;
  return end;
}

const LABEL_GAP_MAX = 16;

/** The last place before `at` that holds no sign of a gap; before `from` where there is none. */
export function beforeGap(bytes: Uint8Array, at: number, from: number): number {
  let before = at - 1;
  const limit = at - LABEL_GAP_MAX < from ? from : at - LABEL_GAP_MAX;
  while (before >= limit && (CLASSES[bytes[before]!]! & IS_GAP) !== 0) before--;
  return before;
}
