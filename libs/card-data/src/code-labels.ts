/**
 * What names a verification code or a PIN in running text, in the languages that people write to shops and banks in.
 * A blank stands for a blank, an underscore, a hyphen or nothing.
 */
const CVV_NAMES = [
  "(?<![a-z])(?:[id]?cvv2?|cvc2?|cav2|csc|cvn2?|cvd2?|c\\.v\\.[vc]\\.?)",
  "(?:card )?security code",
  "(?:card )?verification (?:code|value|number)",
  "card code",
  "(?:3|three) digit code",
  "(?:code|digits|number) on the (?:back|reverse)(?: of (?:the|my) card)?",
  "pr(?:ü|ue|u)f(?:ziffer|nummer|zahl|code)",
  "sicherheits(?:code|nummer|zahl)",
  "cryptogramme(?: visuel)?",
  "code (?:de )?s[ée]curit[ée]",
  "code de v[ée]rification",
  "c[óo]digo de (?:seguridad|seguran[çc]a|verifica(?:ci[óo]n|[çc][ãa]o))",
  "codice (?:di )?(?:sicurezza|verifica)",
  "(?:beveiligings|veiligheids)code",
  "(?:s[äa]kerhets|sikkerhe[dt]s)kode?",
  "turvakoodi",
  "kod (?:zabezpieczaj[ąa]cy|bezpiecze[ńn]stwa)",
  "bezpe[čc]nostn[íi] k[óo]d",
  "g[üu]venlik kodu",
  "код безопасности",
  "セキュリティ コ[ー-]ド",
  "安全[码碼]",
  "校[验驗][码碼]",
  "보안 코드",
];
const PIN_NAMES = [
  "(?<![a-z])(?:(?:card|atm) )?(?:pin(?: (?:code|number|no|kodu))?|nip)",
  "geheimzahl",
  "code confidentiel",
  "пин(?: код)?",
  "暗証番号",
];

/** Between a label and its code: punctuation, quotes of nested JSON, a linking word. */
const GAP =
  "(?: ?\\([34][ -]?digits?\\))?[\\s\"'\\\\:=#()\\[\\]>,.-]{0,12}(?:(?:is|was|code|number|no|value|lautet|est|es|é|è)[\\s\"'\\\\:=#(-]{1,8}){0,2}";

const endingIn = (names: readonly string[]): RegExp =>
  new RegExp(`(?:${names.map((name) => name.replace(/ (?!\?)/g, "[ _-]?")).join("|")})${GAP}$`, "i");

export const CVV_LABEL = endingIn(CVV_NAMES);
export const PIN_LABEL = endingIn(PIN_NAMES);
/** "cid" alone names customers and clients too. */
export const CID_LABEL = endingIn(["(?<![a-z])cid"]);

/** Any text before a code or a PIN that has none of these in it has no label. */
export const MAY_LABEL_CODE =
  /cv[vcnd]|c\.v\.|cav2|csc|cid|c[oó]d[eio]|koo?d|k[oó]d|value|number|digit|pin|nip|ziffer|nummer|zahl|crypto|s[ée]cur|код|пин|暗|コ[ー-]ド|[码碼]|코드/i;

/** The last two signs of the names and of the linking words, as far as they are ASCII. */
const LABEL_ENDS =
  "vv .v vc sc .c vd id ad od rd vn in on de ue me te er no ao is as ts es st et el hl za ca zy cy wa di du ip ck v2 c2 n2 d2";

/** For each last sign the signs that may stand before it, a bit for each by its last five bits. */
const BEFORE_LAST = new Int32Array(256);
for (const end of LABEL_ENDS.split(" ")) {
  for (const last of [end.charCodeAt(1), end.toUpperCase().charCodeAt(1)]) {
    BEFORE_LAST[last]! |= 1 << (end.charCodeAt(0) & 31);
  }
}
for (let last = 0x80; last < 0x100; last++) BEFORE_LAST[last] = -1;

/** Whether a label or a linking word may end in this sign. */
export function mayBeLastOfLabel(last: number): boolean {
  return BEFORE_LAST[last & 255] !== 0;
}

/**
 * Whether a label or a linking word may end in these signs (char codes, or bytes as TextBytes has them). Says yes too
 * often, never no wrongly.
 */
export function mayEndCodeLabel(thirdLast: number, beforeLast: number, last: number): boolean {
  if (last >= 0x80) return true;
  const before = BEFORE_LAST[last]!;
  if (beforeLast >= 0x80) return before !== 0;
  if ((before & (1 << (beforeLast & 31))) === 0) return false;
  // Parts of UUIDs end so, too: of the labels these are "code", "seguridad", "verifica", "cvc2" and "cvd2".
  return !isHex(last) || !isHex(beforeLast) || MAY_PRECEDE_HEX.has(thirdLast | 32);
}

const MAY_PRECEDE_HEX: ReadonlySet<number> = new Set(Buffer.from("odiv"));

function isHex(code: number): boolean {
  const letter = code | 32;
  return (code >= 48 && code <= 57) || (letter >= 97 && letter <= 102);
}
