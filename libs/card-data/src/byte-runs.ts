/** Stretches of bytes of one class, found by looking at few of them. */

/** Classes of bytes; a byte may be of several. */
export const IS_DIGIT = 1;
/** A digit, or what may stand between two digits of a card. */
export const IS_JOINED = 2;
/** A sign of base64 or base64url. */
export const IS_BASE64 = 4;
export const IS_HEX = 8;
/** May stand between the name of a code and the code. */
export const IS_GAP = 16;
/** A letter or a digit. */
export const IS_PLAIN = 32;

export const CLASSES = new Uint8Array(256);

function classify(signs: string, classes: number): void {
  for (const sign of signs) CLASSES[sign.charCodeAt(0)]! |= classes;
}

classify("0123456789", IS_DIGIT | IS_JOINED | IS_BASE64 | IS_HEX | IS_PLAIN);
classify("abcdefABCDEF", IS_HEX);
for (let code = 65; code <= 90; code++) {
  classify(String.fromCharCode(code, code + 32), IS_BASE64 | IS_PLAIN);
}
classify("+/-_", IS_BASE64);
classify(" -./_", IS_JOINED);
classify(" \t\r\n\"'\\:=#()[]>,.-", IS_GAP);

/**
 * Where the next stretch begins that has `unitsMin` bytes of the class or more; -1 where there is none. Looks at every
 * `unitsMin`th byte, and at others only where that one is of the class.
 */
export function nextRun(bytes: Uint8Array, of: number, unitsMin: number, from: number, to: number): number {
  let probe = from + unitsMin - 1;
  while (probe < to) {
    if ((CLASSES[bytes[probe]!]! & of) === 0) {
      probe += unitsMin;
      continue;
    }
    let start = probe;
    const startMin = probe - unitsMin + 1;
    while (start > startMin && (CLASSES[bytes[start - 1]!]! & of) !== 0) start--;
    if (start === startMin) return start;
    probe = start + unitsMin - 1;
  }
  return -1;
}

/** Where the stretch that holds the byte at `at` ends. */
export function runEnd(bytes: Uint8Array, of: number, at: number, to: number): number {
  let end = at;
  while (
    end + 4 <= to &&
    (CLASSES[bytes[end]!]! &
      CLASSES[bytes[end + 1]!]! &
      CLASSES[bytes[end + 2]!]! &
      CLASSES[bytes[end + 3]!]! &
      of) !==
      0
  ) {
    end += 4;
  }
  while (end < to && (CLASSES[bytes[end]!]! & of) !== 0) end++;
  return end;
}
