import { CLASSES, IS_GAP } from "./byte-runs.js";
import { PAN_DIGITS_MIN } from "./digit-groups.js";
import { mayFollowCodeLabel } from "./suspicion.js";

/** Strings up to this length are looked at through two words of bits, a bit for each unit. */
export const GLANCE_UNITS_MAX = 52;

const EACH = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;
const LOW_BITS = 0x7f7f7f7f;
const ZEROS = 0x30 * EACH;
const BLANKS = 0x20 * EACH;
const UNDERSCORES = 0x5f * EACH;
/** Added to a byte below 0x80 these set its highest bit: from `-` on, from `:` on. */
const FROM_HYPHEN = (0x80 - 0x2d) * EACH;
const FROM_COLON = (0x80 - 0x3a) * EACH;
/** The same for what lies above 9 once the digits are 0 to 9. */
const PAST_NINE = 0x76 * EACH;
/** Brings the highest bits of four bytes together, see `gather`. */
const GATHER = 0x10204080;

/**
 * Whether a short text has digits enough in a row for a card, or a code behind what may end a label. No step depends
 * on the signs themselves: identifiers are random, and a processor that guesses wrong at every other sign is slow.
 */
export function deservesLook(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
  let digits = 0;
  let digitsAfter = 0;
  let joined = 0;
  let joinedAfter = 0;
  for (let at = from; at < to; at += 4) {
    const four = view.getInt32(at, true);
    const low = four & LOW_BITS;
    const high = ~four & HIGH_BITS;
    const digit = gather(~((low ^ ZEROS) + PAST_NINE) & high);
    // - . / and the digits follow each other in ASCII.
    const inRow = (low + FROM_HYPHEN) & ~(low + FROM_COLON);
    const join = gather((inRow | ~((low ^ BLANKS) + LOW_BITS) | ~((low ^ UNDERSCORES) + LOW_BITS)) & high);
    const place = at - from;
    if (place < 32) {
      digits |= digit << place;
      joined |= join << place;
    } else {
      digitsAfter |= digit << (place - 32);
      joinedAfter |= join << (place - 32);
    }
  }
  const units = to - from;
  if (units < 32) {
    digits &= (1 << units) - 1;
    joined &= (1 << units) - 1;
  } else if (units < 64) {
    digitsAfter &= (1 << (units - 32)) - 1;
    joinedAfter &= (1 << (units - 32)) - 1;
  }
  if (count(digits) + count(digitsAfter) >= PAN_DIGITS_MIN) {
    if (hasTwelve(joined) || hasTwelve((joined >>> 20) | (joinedAfter << 12))) return true;
  }
  const second = (digits >>> 1) | (digitsAfter << 31);
  const third = (digits >>> 2) | (digitsAfter << 30);
  const starts = digits & ~(digits << 1) & second & third;
  const startsAfter =
    digitsAfter & ~((digitsAfter << 1) | (digits >>> 31)) & (digitsAfter >>> 1) & (digitsAfter >>> 2);
  return mayBeCodes(bytes, starts, from, from) || mayBeCodes(bytes, startsAfter, from + 32, from);
}

/** The highest bits of the four bytes as the lowest four bits. */
function gather(bits: number): number {
  return Math.imul(bits >>> 7, GATHER) >>> 28;
}

function count(bits: number): number {
  let sum = bits - ((bits >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, EACH) >>> 24;
}

/** Whether twelve bits in a row are set. */
function hasTwelve(bits: number): boolean {
  const two = bits & (bits >>> 1);
  const four = two & (two >>> 2);
  const eight = four & (four >>> 4);
  return (eight & (four >>> 8)) !== 0;
}

/** Whether one of the groups of digits whose first ones are marked stands behind what may end a label. */
function mayBeCodes(bytes: Uint8Array, starts: number, base: number, from: number): boolean {
  for (let rest = starts; rest !== 0; rest &= rest - 1) {
    const at = base + 31 - Math.clz32(rest & -rest);
    if (at === from || (CLASSES[bytes[at - 1]!]! & IS_GAP) === 0) continue;
    if (mayFollowCodeLabel(bytes, at, from)) return true;
  }
  return false;
}
