/** Reading and writing the inside of JSON string tokens without touching what did not change. */

const SIMPLE: Record<string, string> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };

/** The value of a valid JSON string token whose quotes are at `start` and `end - 1`. */
export function decodeJsonString(text: string, start: number, end: number): string {
  const last = end - 1;
  let slash = text.indexOf("\\", start + 1);
  if (slash === -1 || slash >= last) return text.slice(start + 1, last);
  let value = "";
  let from = start + 1;
  while (slash !== -1 && slash < last) {
    value += text.slice(from, slash);
    const escape = text[slash + 1]!;
    if (escape === "u") {
      value += String.fromCharCode(Number.parseInt(text.slice(slash + 2, slash + 6), 16));
      from = slash + 6;
    } else {
      value += SIMPLE[escape] ?? escape;
      from = slash + 2;
    }
    slash = text.indexOf("\\", from);
  }
  return value + text.slice(from, last);
}

/**
 * Where ascending offsets into a string's value lie in the text that holds its token: offsets into the value, as
 * UTF-16 code units, become offsets into `text`.
 */
export function rawOffsets(text: string, start: number, offsets: readonly number[]): number[] {
  let raw = start + 1;
  let decoded = 0;
  return offsets.map((offset) => {
    while (decoded < offset) {
      if (text.charCodeAt(raw) === 92) raw += text.charCodeAt(raw + 1) === 117 ? 6 : 2;
      else raw++;
      decoded++;
    }
    return raw;
  });
}

/** What stands between the quotes of a JSON string with this value. */
export function encodeJsonFragment(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}
