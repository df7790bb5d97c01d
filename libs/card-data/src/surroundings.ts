/** Questions about the text around a run of digits. Each looks at a bounded number of signs. */

export const BEFORE_UNITS = 64;
export const AFTER_UNITS = 48;

const CARD_WORDS =
  /(?:^|[^\p{L}\p{N}])(?:cards?|cardholder|credit|debit|cc|pan|visa|master ?card|maestro|amex|american express|discover|diners|jcb|union ?pay|rupay|cvv2?|cvc2?|exp|expiry|expires|expiration|valid thru|security code|tarjeta|(?:kredit)?karten?(?:nummer)?|carte|cart[aã]o|carta|kart[ıi]?|kart[ay]|kaart(?:nummer)?|kort(?:nummer)?|карт[аыуе]?|(?:ال)?بطاقة|कार्ड)(?:$|[^\p{L}\p{M}\p{N}])|卡号|银行卡|信用卡|カ[ー-]ド|카드/iu;
/** Every word of cards has one of these in it, which are found without knowing where a word begins in which script. */
const MAY_SPEAK =
  /card|credit|debit|cc|pan|vi.a|ma.ter|mae.tro|amex|american|cover|diner|jcb|union|rupay|cv[vc]|exp|valid|ecurity|tarjeta|art|kort|карт|بطاقة|कार्ड|卡|カ[ー-]ド|카드/i;
const EXPIRY_AFTER =
  /^[\s,;|:/(-]{1,4}(?:exp\w{0,8}[\s:.]{0,3})?(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[2-5]\d(?!\d)/i;

/** Whether words nearby, or an expiry date right after, speak of a payment card. */
export function speaksOfCards(text: string, from: number, to: number, words: readonly string[]): boolean {
  const before = text.slice(Math.max(0, from - BEFORE_UNITS), from);
  const after = text.slice(to, to + AFTER_UNITS);
  if (MAY_SPEAK.test(before) && CARD_WORDS.test(before)) return true;
  if (MAY_SPEAK.test(after) && CARD_WORDS.test(after)) return true;
  if (EXPIRY_AFTER.test(after)) return true;
  if (words.length === 0) return false;
  const around = `${before} ${after}`.toLowerCase();
  return words.some((word) => around.includes(word.toLowerCase()));
}

const PAYING_WORDS =
  /(?:^|[^\p{L}])(?:charg(?:e|ed|ing)|pa(?:y|ys|id|ying|yments?)|refund(?:ed)?|debit(?:ed)?|declined|expir\w*|acct|bezahl\w*|zahl\w*|gültig|pagu?[éeoaó]\w*|pay[ée]r?|paiement|vence|validade|scade|importo|geldig|ważna|срок|оплат\w*|betal\w*|有效期|有効期限|بطاقة|कार्ड)/iu;

/** Whether words nearby speak of paying, which goes with bills and orders as well. */
export function speaksOfPaying(text: string, from: number, to: number): boolean {
  return (
    PAYING_WORDS.test(text.slice(Math.max(0, from - BEFORE_UNITS), from)) ||
    PAYING_WORDS.test(text.slice(to, to + AFTER_UNITS))
  );
}

const CARD_LABEL =
  /(?:(?:card|cc)[ _-]?(?:number|num|no|nr|#)|(?:^|[^a-z0-9])pan|primary account number)[\s"'\\:=#.]{1,8}(?:is )?["'\\]{0,4}$/i;

/** Whether the number is introduced as a card's: `card number: `, `"pan":"`. */
export function labelsCard(text: string, from: number): boolean {
  const before = text.charCodeAt(from - 1);
  // Cheap first: a label ends in one of these, or there is none.
  if (!(before === 32 || before === 34 || before === 39 || before === 58 || before === 61 || before === 35)) {
    return false;
  }
  // Nor is there one behind another number.
  let at = from - 1;
  while (at >= from - LABEL_GAP_MAX && LABEL_GAP.has(text.charCodeAt(at))) at--;
  const last = text.charCodeAt(at);
  if (last >= 48 && last <= 57) return false;
  return CARD_LABEL.test(text.slice(Math.max(0, from - 40), from));
}

const LABEL_GAP: ReadonlySet<number> = new Set(Buffer.from(" \t\r\n\"'\\:=#.", "latin1"));
const LABEL_GAP_MAX = 12;

const OTHER_NUMBER =
  /(?:^|[^a-z])(?:imei|iccid|imsi|msisdn|meid|ean|gtin|upc|isbn|barcode|tracking|phone|tel|mobile|fax|call|whatsapp|timestamp)[^a-z]{0,6}(?:(?:number|no|code|13|14)[^a-z]{0,6})?$/i;

/** Whether a word right before says that this is another kind of number. */
export function namesAnotherNumber(text: string, from: number): boolean {
  return OTHER_NUMBER.test(text.slice(Math.max(0, from - 32), from));
}

const PHONE_DIGITS_MAX = 15;

/** ITU-T E.164: a plus sign and at most 15 digits. */
export function isPhoneLike(text: string, from: number, digits: number): boolean {
  return digits <= PHONE_DIGITS_MAX && text.charCodeAt(from - 1) === 43;
}

const HEX_TOKEN_MIN = 24;
const HEX_LOOK_UNITS = 64;

/** Whether the digits are a stretch of a hash or another long hexadecimal number. */
export function isInsideHex(text: string, from: number, to: number): boolean {
  let start = from;
  let end = to;
  while (start > 0 && from - start < HEX_LOOK_UNITS && isHex(text.charCodeAt(start - 1))) start--;
  while (end - to < HEX_LOOK_UNITS && isHex(text.charCodeAt(end))) end++;
  return end - start >= HEX_TOKEN_MIN && /[a-f]/i.test(text.slice(start, end));
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** What stands in the middle of one, and is looked for at hyphens only. */
const MAY_BE_UUID = /-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-/i;
const UUID_UNITS = 36;

export function isInsideUuid(text: string, from: number, to: number): boolean {
  const before = text.charCodeAt(from - 1);
  const after = text.charCodeAt(to);
  if (before !== 45 && after !== 45 && !isHex(before) && !isHex(after)) return false;
  if (!MAY_BE_UUID.test(text.slice(Math.max(0, from - UUID_UNITS), to + UUID_UNITS))) return false;
  return matchCovers(UUID, text, from, to, UUID_UNITS) !== undefined;
}

const IBAN = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g;
const IBAN_UNITS_MAX = 42;

/** Whether the digits are part of a bank account's number whose own check digits hold (ISO 13616). */
export function isInsideIban(text: string, from: number, to: number): boolean {
  if (!/[A-Z]{2}\d/.test(text.slice(Math.max(0, from - IBAN_UNITS_MAX), from + 2))) return false;
  const iban = matchCovers(IBAN, text, from, to, IBAN_UNITS_MAX)?.replaceAll(" ", "");
  if (iban === undefined) return false;
  let remainder = 0;
  for (const sign of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(sign, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** Whether the digits are those of a parcel number of UPS, `1Z` and sixteen signs. */
export function isParcelNumber(text: string, from: number, to: number): boolean {
  if (to - from !== 16 || !text.startsWith("1Z", from - 2)) return false;
  return !/[A-Za-z0-9]/.test(text.charAt(from - 3) + text.charAt(to));
}

/** The match of a global expression that overlaps the stretch, at most `units` away from it. */
function matchCovers(
  expression: RegExp,
  text: string,
  from: number,
  to: number,
  units: number,
): string | undefined {
  const left = Math.max(0, from - units);
  for (const match of text.slice(left, to + units).matchAll(expression)) {
    const at = left + match.index;
    if (at < to && at + match[0].length > from) return match[0];
  }
  return undefined;
}

function isHex(code: number): boolean {
  const letter = code | 32;
  return (code >= 48 && code <= 57) || (letter >= 97 && letter <= 102);
}

/**
 * Whether the group is a side of one decimal number (`0.4539148803436467`), so that its dot is no separator. A whole
 * part whose fraction is nothing but zeros is a number that a spreadsheet wrote, and may be a card.
 */
export function isDecimalFraction(
  text: string,
  groups: readonly number[],
  group: number,
  begin: number,
  end: number,
): boolean {
  const dotBefore = group > begin && isDot(text, groups[group - 1]!, groups[group]!);
  const dotAfter = group + 2 < end && isDot(text, groups[group + 1]!, groups[group + 2]!);
  if (dotBefore === dotAfter) return false;
  if (dotBefore) return !(group - 2 > begin && isDot(text, groups[group - 3]!, groups[group - 2]!));
  if (group + 4 < end && isDot(text, groups[group + 3]!, groups[group + 4]!)) return false;
  return !/^0+$/.test(text.slice(groups[group + 2], groups[group + 3]));
}

function isDot(text: string, from: number, to: number): boolean {
  return to - from === 1 && text.charCodeAt(from) === 46;
}
