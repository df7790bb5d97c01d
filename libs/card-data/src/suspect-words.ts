import { AFTER_UNITS, BEFORE_UNITS } from "./surroundings.js";

/** A letter's number, whatever its case; zero for other signs. */
const LETTER = new Uint8Array(256);
for (let i = 1; i <= 26; i++) LETTER[0x40 + i] = LETTER[0x60 + i] = i;

type Pairs = Uint8Array;

function pairsOf(beginnings: string): Pairs {
  const pairs = new Uint8Array(32 * 32);
  for (const pair of beginnings.split(" ")) {
    pairs[32 * LETTER[pair.charCodeAt(0)]! + LETTER[pair.charCodeAt(1)]!] = 1;
  }
  return pairs;
}

/** The first two signs of all that may speak of cards (see surroundings.ts). */
const OF_CARDS = pairsOf("am ar ca cc co cr cv de di ec ex jc ko ma pa ru ta un va vi");
/** The same of all that may label a code (see code-labels.ts). */
const OF_CODES = pairsOf("c. ca ci co cr cs cv di ko ni nu pi se va za zi");

/** What may stand between a card and its expiry date. */
const MAY_PRECEDE_DATE = new Uint8Array(256);
for (const sign of " \t\n\v\f\r,;|:/(-") MAY_PRECEDE_DATE[sign.charCodeAt(0)] = 1;

/** A quick look for what `speaksOfCards` asks, in the bytes of a text; it says yes too often and never no wrongly. */
export function maySpeakOfCards(
  bytes: Uint8Array,
  start: number,
  end: number,
  from: number,
  to: number,
): boolean {
  if (end < to && MAY_PRECEDE_DATE[bytes[end]!] === 1) return true;
  const begin = start - BEFORE_UNITS < from ? from : start - BEFORE_UNITS;
  const stop = end + AFTER_UNITS > to ? to : end + AFTER_UNITS;
  return mayHoldWord(OF_CARDS, bytes, begin, start) || mayHoldWord(OF_CARDS, bytes, end, stop);
}

/** A quick look for what MAY_LABEL_CODE finds, likewise. */
export function mayLabelCode(bytes: Uint8Array, from: number, to: number): boolean {
  return mayHoldWord(OF_CODES, bytes, from, to);
}

function mayHoldWord(pairs: Pairs, bytes: Uint8Array, from: number, to: number): boolean {
  let before = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x80) return true;
    const letter = LETTER[byte]!;
    if (pairs[32 * before + letter] === 1) return true;
    before = letter;
  }
  return false;
}
