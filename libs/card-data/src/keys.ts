import type { CardDataPolicy } from "@countersign/contracts";

/** What the name of a field says about its value; a name may say several things. */
export const KEY = {
  pan: 1,
  cvv: 2,
  track: 4,
  pin: 8,
  pinBlock: 16,
  /** Speaks of cards or payment: a number beside it may be a card that no brand table knows. */
  context: 32,
  /** Names a number of another kind, such as an IMEI. */
  other: 64,
  /** Holds the value of what the object itself is named after: `{"cvv": {"value": "123"}}`. */
  wrapper: 128,
  /** Holds the name of what its sibling holds: `{"name": "cvv", "value": "123"}`. */
  label: 256,
  /** Holds the names of a table's columns: `{"columns": ["pan", "cvv"], "rows": […]}`. */
  head: 512,
  /** Names one of several pieces, such as `part1`. */
  piece: 1024,
  /** Names what may be a piece where cards are spoken of: `bin`, `card1`, `pan_first8`. */
  position: 4096,
  /** Names a date, an amount or what is left of a number: never a part of one. */
  whole: 2048,
} as const;

export const SENSITIVE_KEYS = KEY.cvv | KEY.track | KEY.pin | KEY.pinBlock;

export type ClassifyKey = (key: string) => number;

const PAN_WORD = /^(?:pan|fpan|dpan|ccn)$/;
const PAN_COMPACT =
  /(?:card|cc|cardpan|primaryaccount|tarjeta|carte|karten?|kart|cartao|kaart|kort)(?:number|num|no|nr|nbr|nummer|numara|numaras[iı]|numero)$|^(?:card|creditcard|debitcard|ccard|cc|cardnumberraw|rawpan|fullpan|clearpan|plainpan|pannumber|(?:numero|n|no)(?:de|di|do|da|della)?(?:la)?(?:tarjeta|carte|carta|cartao)|cartadicredito|numerkarty|acctnum|номеркарты|カード番号|(?:银行|信用)?卡号|카드번호)$/;
/** Words that make of a card's name something that is no longer the number itself. */
const PART_OF_CARD =
  /^(?:last|last4|lastfour|first|first6|hash|hashed|token|id|ids|type|brand|suffix|masked|name|holder|count)$/;
const CVV_COMPACT =
  /(?:^|card|cc|debit|credit|my|raw)(?:i?cvv2?|d?cvv|cvc2?|cav2?|csc|cvn2?|cvd2?|cid)(?:code|number|num|no|value)?$|(?:card)?securitycode$|cardverification(?:value|code|number)?$|^(?:cardcode|verification(?:value|code)|cvvcvc|(?:3|three)digitcode)$/;
/** The same in other languages, without accents. */
const CVV_FOREIGN =
  /^(?:(?:kredit)?karten)?(?:prue?f(?:ziffer|nummer|zahl|code)|sicherheits(?:code|nummer|zahl))$|^(?:cryptogramme(?:visuel)?|code(?:de)?(?:securite|verification)|codigode(?:seguridad|seguranca|verificacion|verificacao)|codice(?:di)?(?:sicurezza|verifica)|(?:beveiligings|veiligheids)code|(?:sakerhets|sikkerhe[dt]s)kode?|turvakoodi|kod(?:zabezpieczajacy|bezpieczenstwa)|bezpecnostnikod|guvenlikkodu|кодбезопасности|セキュリティコード|安全[码碼]|校[验驗][码碼]|보안코드)$/;
const CVV_WORD = /^(?:cvv2?|cvc2?|cav2|csc|cvn2?|cvd2?)$/;
const CVV_ANSWER = /^(?:result|results|response|status|check|length|match|required|present|type|provided)$/;
const TRACK_COMPACT =
  /^(?:card)?(?:track[123](?:data|raw|equivalent|equivalentdata)?|trackdata|tracks?[12]and[12]|magstripe(?:data)?|magneticstripe(?:data)?|stripedata|swipedata|msr(?:data)?)$/;
const PIN_COMPACT =
  /^(?:pin|(?:card|atm|debit|user|new|old|current|offline|online|clear)pin|pin(?:number|value|kodu)|code?pin|codigopin|nip|geheimzahl|codeconfidentiel|пин(?:код)?|暗証番号)$/;
const PIN_BLOCK_COMPACT =
  /^(?:(?:card|encrypted|enc)?pinbl(?:oc)?k(?:data|hex)?|encryptedpin|encpin|epb|pinblockdata)$/;
const CONTEXT_WORD =
  /^(?:cards?|cardholder|creditcard|debitcard|cc|pan|visa|mastercard|maestro|amex|discover|diners|jcb|unionpay|rupay|mir|troy|cvv2?|cvc2?|expiry|exp|expires|expmonth|expyear|expmo|expiration|expirymonth|expiryyear|expdate|expirydate|payment|payments|paymentmethod|cardnumber|tarjeta|carte|karte|cartao|kart|credit|debit)$/;
const OTHER_WORD =
  /^(?:imeis?|imeisv|meid|iccid|msisdn|imsi|ean|ean13|gtin|gtin14|upc|isbn|barcode|sku|phone|phones|tel|telephone|mobile|fax|msisdns|timestamp|ts|epoch|tracking|trackingnumber|shipment|snowflake|latitude|longitude|lat|lng|lon)$/;
const WRAPPER = /^(?:value|values|val|example|examples|default|const|enum|text|data|content|answers?)$/;
const HEAD = /^(?:columns?|cols|columnnames|fields?|fieldnames|headers?|head|names|schema)$/;
const PIECE = /^(?:part|piece|chunk|segment|seg|group|block|digits|card|cc|pan|p|g)\d{1,2}$/;
const POSITION =
  /\d$|^(?:first|second|third|fourth|last|middle|rest|remainder|start|end|head|tail|bin|iin|prefix|suffix|left|right|part|piece)$/;
const WHOLE =
  /^(?:exp\w*|valid\w*|year|month|day|yy|yyyy|mm|dd|date|time|ts|last4|lastfour|zip\w*|post\w*|amount|price|total|phone|tel|mobile|cv[vcn]\w*|pin|mcc|auth\w*|count|version)$/;
const LABEL = /^(?:name|key|field|fieldname|label|id|param|parameter)$/;

/** Fields named like the key that was classified are usually few and come back often. */
const CACHED_KEYS_MAX = 4096;
/** Longer names are not names of fields. */
const KEY_LENGTH_MAX = 64;

const classifiers = new WeakMap<CardDataPolicy, ClassifyKey>();

/** The classifier for a policy: its keys and words are added to those that are built in. */
export function keyClassifier(policy: CardDataPolicy): ClassifyKey {
  let classify = classifiers.get(policy);
  if (!classify) classifiers.set(policy, (classify = createClassifier(policy)));
  return classify;
}

function createClassifier(policy: CardDataPolicy): ClassifyKey {
  const added = new Map<string, number>();
  const add = (names: readonly string[], meaning: number) => {
    for (const name of names) added.set(compact(name), (added.get(compact(name)) ?? 0) | meaning);
  };
  add(policy.panKeys, KEY.pan | KEY.context);
  add(policy.cvvKeys, KEY.cvv | KEY.context);
  add(policy.trackKeys, KEY.track | KEY.context);
  add(policy.pinKeys, KEY.pin);
  add(policy.contextWords, KEY.context);

  const cache = new Map<string, number>();
  return (key) => {
    const known = cache.get(key);
    if (known !== undefined) return known;
    const meaning = key.length > KEY_LENGTH_MAX ? 0 : builtIn(key) | (added.get(compact(key)) ?? 0);
    if (cache.size >= CACHED_KEYS_MAX) cache.clear();
    cache.set(key, meaning);
    return meaning;
  };
}

function builtIn(key: string): number {
  const name = withoutAccents(key);
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  const whole = compact(name);
  let meaning = 0;
  const part = words.some((word) => PART_OF_CARD.test(word));
  if (!part && (PAN_COMPACT.test(whole) || words.some((word) => PAN_WORD.test(word)))) {
    meaning |= KEY.pan | KEY.context;
  }
  const answer = words.some((word) => CVV_ANSWER.test(word));
  const names = CVV_COMPACT.test(whole) || CVV_FOREIGN.test(whole);
  if (!answer && (names || words.some((word) => CVV_WORD.test(word)))) meaning |= KEY.cvv;
  if (TRACK_COMPACT.test(whole)) meaning |= KEY.track;
  if (PIN_COMPACT.test(whole)) meaning |= KEY.pin;
  if (PIN_BLOCK_COMPACT.test(whole)) meaning |= KEY.pinBlock;
  if (
    (meaning & (KEY.cvv | KEY.track)) !== 0 ||
    words.some((word) => CONTEXT_WORD.test(word)) ||
    CONTEXT_WORD.test(whole)
  )
    meaning |= KEY.context;
  if (words.some((word) => OTHER_WORD.test(word)) || OTHER_WORD.test(whole)) meaning |= KEY.other;
  if (WRAPPER.test(whole)) meaning |= KEY.wrapper;
  if (LABEL.test(whole)) meaning |= KEY.label;
  if (HEAD.test(whole)) meaning |= KEY.head;
  if (words.some((word) => PIECE.test(word))) meaning |= KEY.piece;
  if (words.some((word) => POSITION.test(word))) meaning |= KEY.position;
  if (WHOLE.test(whole) || words.some((word) => WHOLE.test(word))) meaning |= KEY.whole;
  return meaning;
}

/** `Card-Number`, `card_number` and `cardNumber` are one name. */
function compact(key: string): string {
  return withoutAccents(key)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "");
}

function withoutAccents(key: string): string {
  return key
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFKC");
}

const SIBLING_LABELS: ReadonlySet<string> = new Set([
  "name",
  "key",
  "field",
  "label",
  "id",
  "param",
  "fieldName",
  "parameter",
]);
const SIBLING_LABEL_UNITS_MAX = 9;

/** Whether a field of this name holds the name of what its sibling holds. */
export function namesSibling(key: string): boolean {
  return key.length <= SIBLING_LABEL_UNITS_MAX && SIBLING_LABELS.has(key);
}
