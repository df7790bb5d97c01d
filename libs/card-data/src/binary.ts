import type { LocalFinding } from "./rewrite.js";

/**
 * How files that hold no plain text begin in base64: images, PDF, ZIP and older office documents, archives, sound,
 * film, databases.
 */
const BINARY =
  /^(?:data:[^,]{0,100};base64,)?(?:iVBORw0KGgo|\/9j\/|R0lGOD|JVBERi0|UEsDB|H4sI|UklGR|SUkqA|TU0AK|SUQz|T2dnUw|AAAA[A-Za-z0-9+/]{2,4}ZnR5c|ZkxhQ|GkXfo|N3q8r|QlpoO|\/Td6WFo|KLUv\/|UmFyIR|0M8R4KGxGuE|U1FMaXRlIGZvcm1hdCAz)/;
const BINARY_UNITS_MIN = 64;
const HEAD_UNITS = 160;

/**
 * Whether the text is a file in base64 whose content, such as a picture of a card, this library cannot read: one that
 * begins as such files do, or a long one that begins with what is no text.
 */
export function isBinary(text: string, start: number, end: number): boolean {
  const units = end - start;
  if (units < BINARY_UNITS_MIN) return false;
  const head = text.slice(start, Math.min(end, start + HEAD_UNITS));
  return BINARY.test(head) || (units >= UNKNOWN_UNITS_MIN && isNoText(head, text.charCodeAt(end - 1)));
}

/** Shorter ones are keys, signatures and tokens. */
const UNKNOWN_UNITS_MIN = 1024;
const HEAD = /^(?:data:[^,]{0,100};base64,)?([A-Za-z0-9+/_-]{48,})$/;
/** Words, sequences and hexadecimal numbers lack one of these; so many signs of random bytes never do. */
const MIXED = [/[A-Z]/, /[g-z]/, /\d/];
/** Text has none of them; of random bytes every ninth is one. */
const CONTROLS_MIN = 2;

function isNoText(head: string, last: number): boolean {
  const run = HEAD.exec(head)?.[1];
  if (run === undefined || !MIXED.every((signs) => signs.test(run)) || !isBase64(last)) return false;
  let controls = 0;
  for (const byte of Buffer.from(run, "base64")) {
    if (byte < 9 || (byte > 13 && byte < 32) || byte === 127) controls++;
  }
  return controls >= CONTROLS_MIN;
}

function isBase64(code: number): boolean {
  return /[A-Za-z0-9+/=_-]/.test(String.fromCharCode(code));
}

/** Says that a value of so many units could not be searched. */
export function unscannedBinary(units: number): LocalFinding {
  return unscanned(0, units, "binary");
}

export function unscanned(start: number, end: number, why: string): LocalFinding {
  return {
    kind: "unscanned",
    brand: undefined,
    rule: `unscanned.${why}`,
    start,
    end,
    digits: undefined,
    ends: false,
  };
}
