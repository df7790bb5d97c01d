import { brandExamples } from "./brands.js";
import { luhnDigit } from "./luhn.js";
import type { Form } from "./matrix-carriers.js";
import { CARRIERS } from "./matrix-carriers.js";

/** A card in a message: `digits` is the number, `message` carries it. */
export interface Positive {
  digits: string;
  brand: string;
  length: number;
  separator: string;
  carrier: string;
  message: string;
  form: Form;
  /** How often the message holds the card. */
  times: number;
}

/** A number that is no card, in a message. */
export interface Negative {
  kind: string;
  message: string;
  form: Form;
}

export type Random = () => number;

/** A small seeded generator (mulberry32), so that every run judges the same cases. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function cardNumber(prefix: string, length: number, random: Random): string {
  const payload = prefix + digitsOf(length - 1 - prefix.length, random);
  return payload + luhnDigit(payload);
}

const SEPARATORS: Record<string, string> = {
  none: "",
  space: " ",
  "double space": "  ",
  "no-break space": "\u00a0",
  "thin space": "\u2009",
  hyphen: "-",
  "spaced hyphen": " - ",
  "en dash": "\u2013",
  dot: ".",
  slash: "/",
  underscore: "_",
  "zero width": "\u200b",
  "%20": "%20",
  "&nbsp;": "&nbsp;",
};

/** Ways to write a digit; only the card's digits are written so. */
const SCRIPTS: Record<string, (digit: string) => string> = {
  "Arabic-Indic": (digit) => String.fromCharCode(0x660 + Number(digit)),
  "full width": (digit) => String.fromCharCode(0xff10 + Number(digit)),
  mathematical: (digit) => String.fromCodePoint(0x1d7ce + Number(digit)),
  "percent escapes": (digit) => `%3${digit}`,
  "HTML entities": (digit) => `&#5${digit};`.replace(/5(\d)/, (_, d: string) => String(48 + Number(d))),
  "\\u escapes": (digit) => `\\u003${digit}`,
};

/** Every row of the brand table with every separator, every way to write digits and every carrier. */
export function* positives(seed: number): Generator<Positive> {
  const random = seeded(seed);
  for (const { brand, prefix, length } of brandExamples()) {
    const digits = cardNumber(prefix, length, random);
    const written: [string, string][] = [
      ...Object.entries(SEPARATORS).map(([name, sign]): [string, string] => [
        name,
        grouped(digits).join(sign),
      ]),
      ...Object.entries(SCRIPTS).map(([name, write]): [string, string] => [
        name,
        digits.replace(/\d/g, write),
      ]),
    ];
    for (const [separator, card] of written) {
      for (const [carrier, { form, carry, times = 1 }] of Object.entries(CARRIERS)) {
        const message = carry(card, digits);
        if (message !== undefined) yield { digits, brand, length, separator, carrier, message, form, times };
      }
    }
  }
}

/** Groups as cards of that length are printed. */
function grouped(digits: string): string[] {
  if (digits.length === 14 || digits.length === 15) {
    return [digits.slice(0, 4), digits.slice(4, 10), digits.slice(10)];
  }
  return digits.match(/\d{4}(?:\d{1,3}$)?/g) ?? [digits];
}

const NEGATIVES: Record<string, (random: Random) => string> = {
  IMEI: (random) => withLuhn(pick(["35", "86", "01", "99"], random) + digitsOf(12, random)),
  "epoch ms": (random) => String(1_500_000_000_000 + Math.floor(random() * 4e11)),
  "epoch µs": (random) => `${1_500_000_000_000 + Math.floor(random() * 4e11)}${digitsOf(3, random)}`,
  "epoch ns": (random) => `${1_500_000_000_000 + Math.floor(random() * 4e11)}${digitsOf(6, random)}`,
  UUID: (random) =>
    [8, 4, 4, 4, 12].map((length) => Array.from({ length }, () => hexDigit(random)).join("")).join("-"),
  "SHA-256": (random) => Array.from({ length: 64 }, () => hexDigit(random)).join(""),
  MD5: (random) => Array.from({ length: 32 }, () => hexDigit(random)).join(""),
  ObjectId: (random) => Array.from({ length: 24 }, () => hexDigit(random)).join(""),
  float: (random) => String(random() * 10 ** Math.floor(random() * 5)),
  coordinates: (random) => `${random() * 180 - 90}, ${random() * 360 - 180}`,
  "phone, international": (random) =>
    `+${pick(["49151", "447", "1415", "8613", "639", "573", "336", "91"], random)}${digitsOf(8, random)}`,
  "phone, spaced": (random) => `+44 ${digitsOf(2, random)} ${digitsOf(4, random)} ${digitsOf(4, random)}`,
  "phone, national": (random) => `(${digitsOf(3, random)}) ${digitsOf(3, random)}-${digitsOf(4, random)}`,
  timestamp: (random) => `2026${digitsOf(2, random)}${digitsOf(8, random)}`,
  "IP address": (random) => Array.from({ length: 4 }, () => 100 + Math.floor(random() * 155)).join("."),
  snowflake: (random) => `1${digitsOf(18, random)}`,
  "snowflake, older": (random) => `${1 + Math.floor(random() * 9)}${digitsOf(17, random)}`,
  ICCID: (random) => withLuhn(`8949${digitsOf(14, random)}`),
  "EAN-13": (random) => `${pick(["400", "425", "501", "300", "690", "978"], random)}${digitsOf(10, random)}`,
  IBAN: (random) => iban(digitsOf(18, random)),
  "order number": (random) => `ORD-2026-${digitsOf(8, random)}`,
  "tracking number": (random) => `1Z${digitsOf(16, random)}`,
  "random 16 digits": (random) => digitsOf(16, random),
};

export const NEGATIVE_KINDS: readonly string[] = Object.keys(NEGATIVES);

/** `count` numbers of a kind, in turn alone, in a sentence, in a JSON string and, where it is one, as a JSON number. */
export function* negatives(kind: string, count: number, seed: number): Generator<Negative> {
  const random = seeded(seed);
  const make = NEGATIVES[kind]!;
  for (let i = 0; i < count; i++) {
    const value = make(random);
    if (i % 4 === 0) yield { kind, message: value, form: "text" };
    else if (i % 4 === 1) yield { kind, message: `Entry ${value} was written today.`, form: "text" };
    else if (i % 4 === 2 && /^(?:0|[1-9]\d*)(?:\.\d+)?$/.test(value)) {
      yield { kind, message: `{"value":${value}}`, form: "json" };
    } else yield { kind, message: JSON.stringify({ value }), form: "json" };
  }
}

function digitsOf(length: number, random: Random): string {
  return Array.from({ length }, () => String(Math.floor(random() * 10))).join("");
}

function hexDigit(random: Random): string {
  return Math.floor(random() * 16).toString(16);
}

function pick(values: readonly string[], random: Random): string {
  return values[Math.floor(random() * values.length)]!;
}

function withLuhn(payload: string): string {
  return payload + luhnDigit(payload);
}

/** A German account's number with the check digits of ISO 13616, in groups of four. */
function iban(account: string): string {
  const check = 98n - (BigInt(`${account}131400`) % 97n);
  return `DE${String(check).padStart(2, "0")}${account}`.replace(/(.{4})(?=.)/g, "$1 ");
}
