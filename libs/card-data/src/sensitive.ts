import { brandOf } from "./brands.js";
import { CID_LABEL, CVV_LABEL, MAY_LABEL_CODE, mayEndCodeLabel, PIN_LABEL } from "./code-labels.js";
import { passesLuhn } from "./luhn.js";

/**
 * Sensitive authentication data in folded text: verification codes, tracks, PINs and PIN blocks (PCI DSS 3.3.1). All
 * of it is found from digits outwards, so that prose costs nothing.
 */
export interface SensitiveMatch {
  kind: "cvv" | "track" | "pin" | "pinblock";
  from: number;
  to: number;
  rule: string;
  /** The card number of a track. */
  digits?: string;
}

const PIN_BLOCK =
  /(?:pin[ _-]{0,2}bl(?:oc)?k|\bepb\b|encrypted[ _-]?pin)[\s"'\\:=#()[\]>-]{1,12}((?:[0-9a-f]{16}){1,2})(?![0-9a-f])/gi;

const LABEL_UNITS_MAX = 64;
const CVV_DIGITS = { min: 3, max: 4 };
const PIN_DIGITS = { min: 4, max: 6 };

/** What the sign right before a labelled code may be, besides a letter or digit of the label itself. */
const GAP_SIGNS: ReadonlySet<number> = new Set(Buffer.from(" \t\r\n\"'\\:=#()[]>,.-", "latin1"));

export interface SensitiveMatches {
  /** Tracks and PIN blocks, which may hold what looks like a card. */
  whole: SensitiveMatch[];
  /** Codes and PINs, which may be the first digits of what is a card. */
  codes: SensitiveMatch[];
}

/** How near a card is: the names around the text speak of one, or it is in the text itself. */
export type CardNearby = "no" | "around" | "inside";

/** `groups` are the digit groups of `text`, as flat pairs of offsets. Matches come in no order and may overlap. */
export function findSensitive(text: string, groups: readonly number[], card: CardNearby): SensitiveMatches {
  const whole: SensitiveMatch[] = [];
  const codes: SensitiveMatch[] = [];
  for (let i = 0; i < groups.length; i += 2) {
    const from = groups[i]!;
    const to = groups[i + 1]!;
    const digits = to - from;
    if (digits >= CVV_DIGITS.min && digits <= PIN_DIGITS.max) findLabelled(text, from, to, codes, card);
    else if (digits >= 12 && digits <= 19) findTrack(text, from, to, whole);
  }
  if (groups.length > 0 && /pin[ _-]{0,2}bl|epb|encrypted[ _-]?pin/i.test(text)) {
    for (const match of text.matchAll(PIN_BLOCK)) {
      const to = match.index + match[0].length;
      whole.push({ kind: "pinblock", from: to - match[1]!.length, to, rule: "pinblock.label" });
    }
  }
  return { whole, codes };
}

/** What follows the first digits of a card that is masked already. */
const MASKED_CARD_REST = /^[ ./_-]{0,3}\d{0,8}\*/;

function findLabelled(
  text: string,
  from: number,
  to: number,
  found: SensitiveMatch[],
  card: CardNearby,
): void {
  if (isLetter(text.charCodeAt(to))) return;
  const digits = to - from;
  if (card === "inside" && digits <= CVV_DIGITS.max && isNamedBehind(text, from, to)) {
    found.push({ kind: "cvv", from, to, rule: "cvv.label" });
    return;
  }
  if (!mayFollowLabel(text, from) || MASKED_CARD_REST.test(text.slice(to, to + 12))) return;
  const before = text.slice(Math.max(0, from - LABEL_UNITS_MAX), from);
  if (!MAY_LABEL_CODE.test(before)) return;
  // "cid" alone names customers and clients too.
  if (digits <= CVV_DIGITS.max && (CVV_LABEL.test(before) || (card !== "no" && CID_LABEL.test(before)))) {
    found.push({ kind: "cvv", from, to, rule: "cvv.label" });
  } else if (digits >= PIN_DIGITS.min && PIN_LABEL.test(before)) {
    // A "pin code" of six digits is an Indian postal code unless a card is near.
    const postal = digits === PIN_DIGITS.max && /pin[ _-]?code/i.test(before) && card === "no";
    if (!postal) found.push({ kind: "pin", from, to, rule: "pin.label" });
  }
}

/** `123 (CVV)`, `123 is the security code`, and no other code behind that name. */
const NAME_BEHIND =
  /^ ?[([]?(?:(?:is|as) )?(?:(?:the|my|its) )?(?:cvv2?|cvc2?|cav2|csc|security code)(?![a-z0-9])(?![\s"'\\:=#()[\]>,.-]{0,12}(?:(?:is|was|code|number)[\s:=#(-]{1,8})?[\d*])/i;
const NAME_BEHIND_UNITS = 64;

function isNamedBehind(text: string, from: number, to: number): boolean {
  const before = text.charCodeAt(from - 1);
  // Not the last digits of a card that is masked already.
  if (before === ASTERISK || text.charCodeAt(from - 2) === ASTERISK) return false;
  return NAME_BEHIND.test(text.slice(to, to + NAME_BEHIND_UNITS));
}

const ASTERISK = 42;

/** Cheap refusal of most numbers: before the gap a label must end in one of its last letters. */
function mayFollowLabel(text: string, from: number): boolean {
  let at = from - 1;
  const limit = Math.max(0, from - 16);
  while (at >= limit && GAP_SIGNS.has(text.charCodeAt(at))) at--;
  if (at < 0 || at === from - 1) return false;
  return mayEndCodeLabel(text.charCodeAt(at - 2), text.charCodeAt(at - 1), text.charCodeAt(at));
}

function isLetter(code: number): boolean {
  const letter = code | 32;
  return letter >= 97 && letter <= 122;
}

const TRACK_UNITS_MAX = 200;
/** ISO/IEC 7813 track 1 after the card number: name, expiry, service code, discretionary data. */
const TRACK_1_REST = /^\^[^^\r\n]{1,40}\^(?:\d{4}|\^)[^?\r\n"]{0,80}\??/;
/** Track 2 after the card number: expiry, service code, discretionary data. `D` and `F` stand in EMV tag 57. */
const TRACK_2_REST = /^(?:=(?:\d{4}|=)\d{0,24}\??|[dD]\d{7,24}[fF]?)/;

function findTrack(text: string, from: number, to: number, found: SensitiveMatch[]): void {
  const next = text.charCodeAt(to);
  const digits = text.slice(from, to);
  const rest = text.slice(to, to + TRACK_UNITS_MAX);
  if (next === 94) {
    const tail = TRACK_1_REST.exec(rest);
    if (!tail) return;
    const format = (text.charCodeAt(from - 1) | 32) === 98 ? 1 : 0;
    const sentinel = format === 1 && text.charCodeAt(from - 2) === 37 ? 1 : 0;
    found.push({
      kind: "track",
      from: from - format - sentinel,
      to: to + tail[0].length,
      rule: "track1",
      digits,
    });
  } else if (next === 61 || (next | 32) === 100) {
    const tail = TRACK_2_REST.exec(rest);
    if (!tail) return;
    const sentinel = text.charCodeAt(from - 1) === 59 ? 1 : 0;
    const likely = passesLuhn(digits) && brandOf(digits) !== undefined;
    const dated = /^=\d\d(?:0[1-9]|1[0-2])/.test(tail[0]);
    if (next === 61 ? !(sentinel || (dated && (likely || passesLuhn(digits)))) : !likely) return;
    found.push({ kind: "track", from: from - sentinel, to: to + tail[0].length, rule: "track2", digits });
  }
}
