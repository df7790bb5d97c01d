import { PAN_DIGITS_MIN } from "./digit-groups.js";
import { MAY_NAME_COLUMN } from "./search-tables.js";
import type { TextBytes } from "./text-bytes.js";
import { nextMark } from "./text-bytes.js";

const CODE_DIGITS_MIN = 3;
/** Every label of a code or a PIN in running text ends in one of these (see sensitive.ts). */
const MAY_LABEL =
  /(?:cv[vcnd]|cav|csc|cid|code|value|number|pin|epb|block|blk|no)2?(?:[^a-z0-9+/_]|$)|back|reverse|nip|ziffer|nummer|zahl|crypto|s[ée]cur|segur|sicurez|verifica|c[oó]dig|koo?d|k[oó]d|c\.v\.|код|пин|暗|コ[ー-]ド|[码碼]|코드/i;
/** Escapes of letters, which may be those of a label, and of escapes. */
const MAY_HIDE_LETTERS = /%[4-7]|%25|&#|&amp;|\\[ux]/i;
/** A line that is JSON by itself. */
const MAY_BE_JSON_LINE = /\\n[{[]/;

/**
 * The coarsest look, at a JSON string as it is written, in which digits, labels and what stands between them may be
 * escapes.
 */
export function mayHoldEscaped(text: string, { marks }: TextBytes, from: number, to: number): boolean {
  let digits = 0;
  let at = nextMark(marks.digits, from, to);
  for (; at < to && digits < PAN_DIGITS_MIN; at = nextMark(marks.digits, at + 1, to)) digits++;
  if (digits >= PAN_DIGITS_MIN) return true;
  const written = text.slice(from, to);
  if (MAY_BE_JSON_LINE.test(written)) return true;
  if (digits < CODE_DIGITS_MIN) return false;
  return MAY_LABEL.test(written) || MAY_HIDE_LETTERS.test(written) || MAY_NAME_COLUMN.test(written);
}

/** Whether a string may be JSON of its own, which has ways of its own to write numbers. */
export function beginsAsJson(code: number): boolean {
  // white space [ { and a backslash, before white space or a quote
  return code <= 32 || code === 91 || code === 123 || code === 92;
}

/** Whether a string may be an `INSERT` of SQL, whose columns tell what its values are. */
export function beginsAsInsert(first: number, second: number): boolean {
  return (first | 32) === 105 && (second | 32) === 110;
}
