/** What a UTF-16 code unit means to the readers of this library. */
export const PLAIN = 0;
export const DIGIT = 1;
/** Outside ASCII, and may fold into a digit, a separator or nothing (see fold.ts). */
export const ODD = 2;
/** Ends the fast walk through a JSON string: quote, backslash, control character. */
export const STOP = 3;

/** The zeros of Unicode's decimal digits (general category Nd) outside ASCII; each is followed by its one to nine. */
const ZEROS = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
  0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
  0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0,
  0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950,
  0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0,
  0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1f101, 0x1fbf0,
];

/** Runs of signs that show one to nine and are not decimal digits to Unicode: circled, bracketed, dotted and dingbat digits. */
const ONES = [0x2460, 0x2474, 0x2488, 0x2776, 0x2780, 0x278a];
const LONE_ZEROS = [0x24ea, 0x24ff, 0x1f100, 0x1f10b, 0x1f10c];

const RAISED: readonly (readonly [number, number])[] = [
  ...[0x2070, 0xb9, 0xb2, 0xb3, 0x2074, 0x2075, 0x2076, 0x2077, 0x2078, 0x2079].map(
    (c, i) => [c, i] as const,
  ),
  ...Array.from({ length: 10 }, (_, i) => [0x2080 + i, i] as const),
];

const SPACES = [
  0xa0,
  0x115f,
  0x1160,
  0x1680,
  ...between(0x2000, 0x200a),
  0x202f,
  0x205f,
  0x2800,
  0x3000,
  0x3164,
  0xffa0,
];
const DASHES = [
  0x58a,
  0x5be,
  0x1806,
  ...between(0x2010, 0x2015),
  0x2212,
  0x2e3a,
  0x2e3b,
  0x30fc,
  0xfe58,
  0xfe63,
];
const DOTS = [0xb7, 0x2022, 0x2024, 0x2027, 0x2219, 0x22c5, 0x30fb];
const SLASHES = [0x2044, 0x2215, 0x29f8];
const INVISIBLE = [
  // Control characters, without those that are white space.
  ...between(0, 0x08),
  ...between(0x0e, 0x1f),
  ...between(0x7f, 0x84),
  ...between(0x86, 0x9f),
  0xad,
  // Lines under and through a digit.
  0x332,
  0x333,
  ...between(0x335, 0x338),
  0x34f,
  0x61c,
  0x180e,
  0x17b4,
  0x17b5,
  0x20e3,
  ...between(0xfe00, 0xfe0f),
  0xfeff,
  ...between(0x200b, 0x200f),
  ...between(0x202a, 0x202e),
  ...between(0x2060, 0x2064),
  ...between(0x2066, 0x206f),
  ...between(0xe0020, 0xe007f),
];

/** Marks a sign that disappears when text is folded. */
export const DROPPED = 0xff;

/** ASCII code that a code unit of the Basic Multilingual Plane folds to; 0 where it stays, DROPPED where it goes. */
export const FOLDED = new Uint8Array(0x10000);
/** Superscript and subscript digits: a footnote mark after a number is not part of that number. */
export const RAISED_DIGITS: ReadonlySet<number> = new Set(RAISED.map(([code]) => code));
export const CLASS_OF = new Uint8Array(0x10000);

const supplementary = new Map<number, number>();

function set(code: number, ascii: number): void {
  if (code < 0x10000) FOLDED[code] = ascii;
  else supplementary.set(code, ascii);
}

for (const zero of ZEROS) for (let i = 0; i < 10; i++) set(zero + i, 48 + i);
for (const one of ONES) for (let i = 0; i < 9; i++) set(one + i, 49 + i);
for (const code of LONE_ZEROS) set(code, 48);
for (const [code, value] of RAISED) set(code, 48 + value);
for (const code of SPACES) set(code, 32);
for (const code of DASHES) set(code, 45);
for (const code of DOTS) set(code, 46);
for (const code of SLASHES) set(code, 47);
for (const code of INVISIBLE) set(code, DROPPED);
for (let code = 0xff01; code <= 0xff5e; code++) set(code, code - 0xfee0);

for (let code = 0x7f; code < 0x10000; code++) if (FOLDED[code] !== 0) CLASS_OF[code] = ODD;
for (let code = 0xd800; code < 0xdc00; code++) CLASS_OF[code] = ODD;
for (let code = 0; code < 32; code++) CLASS_OF[code] = STOP;
for (const code of [34, 92]) CLASS_OF[code] = STOP;
for (let code = 48; code < 58; code++) CLASS_OF[code] = DIGIT;

/** What a code point folds to: an ASCII code, DROPPED, or 0 where it stays as it is. */
export function foldCodePoint(code: number): number {
  return code < 0x10000 ? FOLDED[code]! : (supplementary.get(code) ?? 0);
}

function between(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
