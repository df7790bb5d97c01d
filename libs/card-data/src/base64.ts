/** A run of base64 text: where it lies, and what it says. */
export interface Base64Run {
  start: number;
  end: number;
  decoded: string;
  /** Whether the bytes are UTF-8 text. Other bytes come as Latin-1, one code unit each. */
  text: boolean;
  /** The run that says `changed` instead; quartets whose bytes are the same stay as they are written. */
  encode(changed: string): string;
}

/** Twelve digits, the shortest card, take sixteen signs. */
export const BASE64_RUN_MIN = 16;

/** Six-bit value of a sign of base64 or base64url, plus one; 0 elsewhere. */
const SEXTET = new Uint8Array(0x10000);
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
for (let i = 0; i < ALPHABET.length; i++) SEXTET[ALPHABET.charCodeAt(i)] = i + 1;
SEXTET["-".charCodeAt(0)] = 63;
SEXTET["_".charCodeAt(0)] = 64;

/**
 * Whether `text` between the offsets has a run that is worth a look. Looks at little more than one sign in sixteen of
 * ordinary prose.
 */
export function mayHoldBase64(text: string, start: number, end: number): boolean {
  for (let at = start; ;) {
    const run = nextRun(text, at, end);
    if (!run) return false;
    if (isPlausible(text, run[0], run[1])) return true;
    for (const [from, to] of plainParts(text, run)) if (isPlausible(text, from, to)) return true;
    at = run[1];
  }
}

/** Runs of base64 in `text` that are worth a look: they decode to mostly ASCII, or hold three encoded digits in a row. */
export function* base64Runs(text: string): Generator<Base64Run> {
  let at = 0;
  for (;;) {
    const run = nextRun(text, at, text.length);
    if (!run) return;
    const [start, end] = run;
    at = end;
    const whole = decodeRun(text, start, end);
    if (whole?.text) yield whole;
    else {
      // A path or an identifier may be stuck to it; encoded digits never need `+ / - _`.
      let found = false;
      for (const [from, to] of plainParts(text, run)) {
        const inner = decodeRun(text, from, to);
        if (!inner?.text) continue;
        found = true;
        yield inner;
      }
      if (!found && whole) yield whole;
    }
  }
}

/** Nothing is stuck to longer runs: what is that long is data of its own. */
const STUCK_RUN_MAX = 4096;

/** The stretches of letters and digits in a run that also holds other signs. */
function plainParts(text: string, [start, end]: [number, number]): [number, number][] {
  const parts: [number, number][] = [];
  if (end - start > STUCK_RUN_MAX) return parts;
  let from = start;
  for (let at = start; at <= end; at++) {
    const sextet = at < end ? SEXTET[text.charCodeAt(at)]! : 63;
    if (sextet < 63) continue;
    if (at - from >= BASE64_RUN_MIN && at - from < end - start) parts.push([from, at]);
    from = at + 1;
  }
  return parts;
}

function nextRun(text: string, from: number, to: number): [number, number] | undefined {
  for (let probe = from + BASE64_RUN_MIN - 1; probe < to; probe += BASE64_RUN_MIN) {
    if (SEXTET[text.charCodeAt(probe)] === 0) continue;
    let start = probe;
    let end = probe + 1;
    while (start > from && SEXTET[text.charCodeAt(start - 1)] !== 0) start--;
    while (end < to && SEXTET[text.charCodeAt(end)] !== 0) end++;
    // A lone last sign holds no byte.
    if ((end - start) % 4 === 1) end--;
    if (end - start >= BASE64_RUN_MIN) return [start, end];
    probe = end - 1;
  }
  return undefined;
}

function decodeRun(text: string, start: number, end: number): Base64Run | undefined {
  if (!isPlausible(text, start, end)) return undefined;
  let padded = end;
  while (padded < end + 2 && text.charCodeAt(padded) === 61) padded++;
  const run = text.slice(start, end);
  const bytes = Buffer.from(run, "base64");
  const utf8 = bytes.toString("utf8");
  const isText = !utf8.includes("\ufffd");
  return {
    start,
    end: padded,
    decoded: isText ? utf8 : bytes.toString("latin1"),
    text: isText,
    encode: (changed) =>
      encodeLike(text.slice(start, padded), bytes, Buffer.from(changed, isText ? "utf8" : "latin1")),
  };
}

function encodeLike(written: string, before: Buffer, after: Buffer): string {
  const whole = after.toString(/[-_]/.test(written) ? "base64url" : "base64").replace(/=+$/, "");
  if (before.length !== after.length) {
    const padding = written.endsWith("=") ? (4 - (whole.length % 4)) % 4 : 0;
    return whole + "=".repeat(padding);
  }
  const parts: string[] = [];
  for (let i = 0, at = 0; at < written.length; i += 3, at += 4) {
    const same = before.subarray(i, i + 3).equals(after.subarray(i, i + 3));
    parts.push(
      same
        ? written.slice(at, at + 4)
        : whole.slice(at, at + 4).padEnd(Math.min(4, written.length - at), "="),
    );
  }
  return parts.join("");
}

/** The shortest card with separators covers this many whole quartets, and two of them are nothing but digits. */
const CARD_QUARTETS_MIN = 4;
const DIGIT_QUARTETS_MIN = 2;

/** Whether the run decodes to text, or somewhere to what a card in ASCII looks like. */
function isPlausible(text: string, start: number, end: number): boolean {
  if (beginsAsText(text, start, end)) return true;
  let asciiInARow = 0;
  let digitsInARow = 0;
  for (let at = start; at + 3 < end; at += 4) {
    const a = SEXTET[text.charCodeAt(at)]! - 1;
    const b = SEXTET[text.charCodeAt(at + 1)]! - 1;
    const c = SEXTET[text.charCodeAt(at + 2)]! - 1;
    // The top bits of three bytes, all clear: ASCII.
    if ((a & 32) === 0 && (b & 8) === 0 && (c & 2) === 0) {
      asciiInARow++;
      const d = SEXTET[text.charCodeAt(at + 3)]! - 1;
      // Three bytes from 0x30 to 0x3f: three digits.
      if (a >> 2 === 3 && (b & 15) === 3 && (c & 3) === 0 && d >> 4 === 3) digitsInARow++;
      if (asciiInARow >= CARD_QUARTETS_MIN && digitsInARow >= DIGIT_QUARTETS_MIN) return true;
    } else {
      asciiInARow = 0;
      digitsInARow = 0;
    }
  }
  return false;
}

/** Bytes that are looked at to tell text from other data, which seldom passes the first three. */
const SAMPLED_BYTES = 192;

/** Whether the first bytes are UTF-8 without control characters other than white space. */
function beginsAsText(text: string, start: number, end: number): boolean {
  const bytes = Math.min(SAMPLED_BYTES, ((end - start) * 3) >> 2);
  let continuing = 0;
  for (let i = 0; i < bytes; i++) {
    const at = start + ((i / 3) | 0) * 4 + (i % 3);
    const shift = (i % 3) * 2;
    const high = SEXTET[text.charCodeAt(at)]! - 1;
    const low = SEXTET[text.charCodeAt(at + 1)]! - 1;
    const byte = ((high << (2 + shift)) | (low >> (4 - shift))) & 0xff;
    if (continuing > 0) {
      if (byte >> 6 !== 2) return false;
      continuing--;
    } else if (byte >= 0x80) {
      if (byte < 0xc2 || byte > 0xf4) return false;
      continuing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    } else if (byte === 0x7f || (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13)) return false;
  }
  return true;
}
