/** Reading and writing the inside of JSON string tokens without touching what did not change. */

/** The value of a valid JSON string token whose quotes are at `start` and `end - 1`. */
export function decodeJsonString(text: string, start: number, end: number): string {
  const inside = text.slice(start + 1, end - 1);
  return inside.includes("\\") ? (JSON.parse(text.slice(start, end)) as string) : inside;
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
