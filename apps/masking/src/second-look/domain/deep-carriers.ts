import { gunzipSync, inflateSync } from "node:zlib";

/** A stretch of text that may hide another text. */
export interface Carrier {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  /** What it says once it is read. */
  readonly text: string;
}

/** Nothing is unpacked further than this, whatever its size claims to be. */
const unpackedBytesMax = 1024 * 1024;
const carriersMax = 200;

/**
 * What the first look, which must not slow down calls, does not read: bytes written in hexadecimal, packed bytes in
 * base64, and digits in words.
 */
export function carriersIn(text: string): Carrier[] {
  return [...hexadecimal(text), ...packed(text), ...digitWords(text)].slice(0, carriersMax);
}

const hexRun = /(?<![0-9a-z])(?:[0-9a-f]{2}[ :-]?){12,65536}/gi;
/** A word such as `be` may stand before the bytes and look like one of them. */
const printableRuns = /[\t\n\r\x20-\x7e]{12,}/g;

function* hexadecimal(text: string): Generator<Carrier> {
  for (const match of text.matchAll(hexRun)) {
    const bytes = Buffer.from(match[0].replace(/[ :-]/g, ""), "hex").toString("latin1");
    const read = bytes.match(printableRuns);
    if (read) yield { rule: "second.hex", ...placeOf(match), text: read.join("\n") };
  }
}

/** The first bytes of gzip, and of zlib under its four usual headers, in base64. */
const packedRun = /(?:H4sI|eJ[wyzx]|eAE|eN[oqp]|eF[4-7])[A-Za-z0-9+/_-]{16,}={0,2}/g;

function* packed(text: string): Generator<Carrier> {
  for (const match of text.matchAll(packedRun)) {
    const bytes = Buffer.from(match[0], "base64");
    const read = unpacked(bytes);
    if (read !== undefined) yield { rule: "second.packed", ...placeOf(match), text: read };
  }
}

function unpacked(bytes: Uint8Array): string | undefined {
  try {
    const unpack = bytes[0] === 0x1f ? gunzipSync : inflateSync;
    return unpack(bytes, { maxOutputLength: unpackedBytesMax }).toString("utf8");
  } catch {
    return undefined;
  }
}

const words: Readonly<Record<string, string>> = {
  zero: "0",
  oh: "0",
  one: "1",
  two: "2",
  three: "3",
  four: "4",
  five: "5",
  six: "6",
  seven: "7",
  eight: "8",
  nine: "9",
};
const word = `(?:${Object.keys(words).join("|")}|double|triple)`;
const wordRun = new RegExp(`\\b${word}(?:[\\s,.-]{1,3}${word}){8,60}\\b`, "gi");

function* digitWords(text: string): Generator<Carrier> {
  for (const match of text.matchAll(wordRun)) {
    let times = 1;
    let digits = "";
    for (const [spoken] of match[0].toLowerCase().matchAll(/[a-z]+/g)) {
      if (spoken === "double" || spoken === "triple") times = spoken === "double" ? 2 : 3;
      else {
        digits += (words[spoken] ?? "").repeat(times);
        times = 1;
      }
    }
    yield { rule: "second.words", ...placeOf(match), text: digits };
  }
}

const placeOf = (match: RegExpExecArray): { start: number; end: number } => ({
  start: match.index,
  end: match.index + match[0].length,
});
