import type { SensitiveMatch } from "./sensitive.js";

/** Between neighbours in a row: blanks, what divides cells, quotes and brackets of any notation, tags. */
const GAP = String.raw`(?=\D)\s{0,40}(?:(?:[|│,;:/"'()\[\]\\-]|<[^<>]{1,24}>|\.(?=\s))\s{0,40}){0,6}`;
const MONTH = "(?:0?[1-9]|1[0-2])";
const MONTH_NAME = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}";
const DATE_WORD = String.raw`(?:(?:exp\w{0,8}|valid|good|thru|until|till|through|to|date|g(?:ü|ue)ltig|bis)[\s:.]{0,3}){0,3}`;
const DATE = `${DATE_WORD}(?:(?:${MONTH}|${MONTH_NAME})(?:${GAP}|[.' ]{1,2})(?:20)?\\d\\d|20[2-5]\\d[-/. ]${MONTH}|(?:0[1-9]|1[0-2])[2-5]\\d)(?!\\d)`;
const NAME = String.raw`(?:(?:and|with|my|the|its|a) ){0,2}(?:sec(?:urity|\.)? ?)?code(?: (?:is|was))?[\s:=#"'-]{1,4}`;
const CODE = String.raw`(\d{3,4})(?!\d|\.\d)`;

/** `4111…|12|27|123`, `"4111…","12/27","123"`, `4111…, code 123`, `4111…,123,12/27`. */
const CODE_AFTER_CARD = new RegExp(
  `^(?:${GAP}${DATE}${GAP}(?:${NAME})?${CODE}|${GAP}${NAME}${CODE}|${GAP}${CODE}(?=${GAP}${DATE}))`,
  "i",
);
const UNITS_MAX = 200;

/** The verification code in what stands behind a card, where an expiry date or a word tells it; see SensitiveMatch. */
export function codeAfterCard(text: string, to: number): SensitiveMatch | undefined {
  const match = CODE_AFTER_CARD.exec(text.slice(to, to + UNITS_MAX));
  if (!match) return undefined;
  const code = match[1] ?? match[2] ?? match[3]!;
  const end = to + match[0].length;
  return { kind: "cvv", from: end - code.length, to: end, rule: "cvv.position" };
}
