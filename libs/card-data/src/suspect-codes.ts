import { beforeGap, CLASSES, ENDS_LABEL, IS_GAP } from "./byte-classes.js";
import { MAY_LABEL_CODE, mayEndCodeLabel } from "./code-labels.js";
import { mayBeCut } from "./cut-cards.js";
import type { TextBytes } from "./text-bytes.js";
import { mayLabelCode } from "./suspect-words.js";
import { nextMark } from "./text-bytes.js";

/** Quick looks for codes and PIN blocks: they say yes too often and never no wrongly (see suspect-digits.ts). */

const CODE_DIGITS_MIN = 3;
const CODE_DIGITS_MAX = 6;
const CODE_LABEL_UNITS = 64;

/** Whether a number of a code's length stands, behind `first`, after what may be the label of one. */
export function mayHoldCode(
  text: string,
  { bytes, marks }: TextBytes,
  first: number,
  from: number,
  to: number,
): boolean {
  const { codes } = marks;
  for (let third = nextMark(codes, first, to); third < to; third = nextMark(codes, third + 1, to)) {
    const start = third - CODE_DIGITS_MIN + 1;
    // Four digits or more, and then what joins no others: perhaps a group of a card that is cut.
    if (isDigit(bytes[third + 1]!) && mayBeCut(text, bytes, start, to)) return true;
    if (start <= from || (CLASSES[bytes[start - 2]!]! & (IS_GAP | ENDS_LABEL)) === 0) continue;
    if (!mayFollowCodeLabel(bytes, start, from)) continue;
    let end = third + 1;
    while (end < to && isDigit(bytes[end]!)) end++;
    if (end - start > CODE_DIGITS_MAX) continue;
    const before = start - CODE_LABEL_UNITS < from ? from : start - CODE_LABEL_UNITS;
    if (mayLabelCode(bytes, before, start) && MAY_LABEL_CODE.test(text.slice(before, start))) return true;
  }
  return false;
}

/** Whether what may be the label of a code ends before `at`. */
function mayFollowCodeLabel(bytes: Uint8Array, at: number, from: number): boolean {
  const last = beforeGap(bytes, at, from);
  if (last <= from || last === at - 1) return false;
  return mayEndCodeLabel(bytes[last - 2] ?? 0, bytes[last - 1]!, bytes[last]!);
}

const PIN_BLOCK_UNITS = 16;
const PIN_BLOCK_LABEL = /bl(?:oc)?k|epb|pin/i;

/** Whether sixteen hexadecimal signs stand behind something, and a PIN block is spoken of. */
export function mayHoldPinBlock(text: string, { marks }: TextBytes, from: number, to: number): boolean {
  const last = nextMark(marks.blocks, from + PIN_BLOCK_UNITS, to);
  return last < to && PIN_BLOCK_LABEL.test(text.slice(from, to));
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
