/** A run of base64 text: where it lies, and what it says. */
export interface Base64Run {
  start: number;
  end: number;
  decoded: string;
  /** Whether the bytes are UTF-8 text. Other bytes come as Latin-1, one code unit each. */
  text: boolean;
  encode(decoded: string): string;
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

/** The stretches of letters and digits in a run that also holds other signs. */
function plainParts(text: string, [start, end]: [number, number]): [number, number][] {
  const parts: [number, number][] = [];
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
  const url = /[-_]/.test(run);
  return {
    start,
    end: padded,
    decoded: isText ? utf8 : bytes.toString("latin1"),
    text: isText,
    encode(decoded) {
      const encoded = Buffer.from(decoded, isText ? "utf8" : "latin1").toString(url ? "base64url" : "base64");
      return padded > end || url ? encoded : encoded.replace(/=+$/, "");
    },
  };
}

/** Quartets that are looked at to tell text from bytes. */
const SAMPLED_QUARTETS = 64;

function isPlausible(text: string, start: number, end: number): boolean {
  let ascii = 0;
  let seen = 0;
  for (let at = start; at + 3 < end; at += 4) {
    const a = SEXTET[text.charCodeAt(at)]! - 1;
    const b = SEXTET[text.charCodeAt(at + 1)]! - 1;
    const c = SEXTET[text.charCodeAt(at + 2)]! - 1;
    const d = SEXTET[text.charCodeAt(at + 3)]! - 1;
    // The top bits of three bytes, all clear: ASCII.
    if (seen < SAMPLED_QUARTETS) {
      seen++;
      if ((a & 32) === 0 && (b & 8) === 0 && (c & 2) === 0) ascii++;
      if (seen === SAMPLED_QUARTETS && ascii * 5 >= seen * 3) return true;
    }
    // Three bytes 0x30 to 0x3f: three digits.
    if (a >> 2 === 3 && (b & 15) === 3 && (c & 3) === 0 && d >> 4 === 3) return true;
  }
  return ascii * 5 >= seen * 3;
}
