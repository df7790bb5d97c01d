/** Where something lies in a text: from `start` up to, and without, `end`, in UTF-16 code units. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

export interface MemberExtent {
  readonly key: string;
  readonly value: Extent;
}

/**
 * Where the values of JSON objects and arrays lie, so that a text can be changed at one place and stay as it is
 * everywhere else. All of these expect a text that was found to be strict JSON before.
 */
export const rootExtent = (text: string): Extent => {
  const start = skipSpace(text, 0);
  return { start, end: skipValue(text, start) };
};

/** The sign that the root value begins with, which tells its type; undefined for an empty text. */
export const rootSign = (text: string): string | undefined => text[skipSpace(text, 0)];

/** The elements of the array at `at`; empty where there is no array. */
export function elementsOf(text: string, at: Extent): Extent[] {
  if (text[at.start] !== "[") return [];
  const elements: Extent[] = [];
  let index = skipSpace(text, at.start + 1);
  while (text[index] !== "]") {
    const end = skipValue(text, index);
    elements.push({ start: index, end });
    index = skipComma(text, end);
  }
  return elements;
}

/** The members of the object at `at`; empty where there is no object. */
export function membersOf(text: string, at: Extent): MemberExtent[] {
  if (text[at.start] !== "{") return [];
  const members: MemberExtent[] = [];
  let index = skipSpace(text, at.start + 1);
  while (text[index] !== "}") {
    const keyEnd = skipString(text, index);
    const key = JSON.parse(text.slice(index, keyEnd)) as string;
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, start);
    members.push({ key, value: { start, end } });
    index = skipComma(text, end);
  }
  return members;
}

/** The value that a path of keys leads to. */
export function extentAt(text: string, keys: readonly string[], from = rootExtent(text)): Extent | undefined {
  return keys.reduce<Extent | undefined>(
    (at, key) => at && membersOf(text, at).find((member) => member.key === key)?.value,
    from,
  );
}

/** The value that a JSON Pointer (RFC 6901) leads to. */
export function extentAtPointer(text: string, pointer: string): Extent | undefined {
  const [, ...parts] = pointer.split("/");
  return parts.reduce<Extent | undefined>((at, part) => {
    if (!at) return undefined;
    if (text[at.start] === "[") return elementsOf(text, at)[Number(part)];
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    return membersOf(text, at).find((member) => member.key === key)?.value;
  }, rootExtent(text));
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return at;
}

function skipComma(text: string, from: number): number {
  const at = skipSpace(text, from);
  return text[at] === "," ? skipSpace(text, at + 1) : at;
}

function skipString(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? text.length : quote + 1;
}

/** A quote is part of its string where an odd number of backslashes stand before it. */
function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1;
  while (text[before] === "\\") before--;
  return (quote - before) % 2 === 0;
}

function skipValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return skipString(text, from);
  if (first !== "{" && first !== "[") return skipWord(text, from);
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') at = skipString(text, at) - 1;
    else if (sign === "{" || sign === "[") depth++;
    else if ((sign === "}" || sign === "]") && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Numbers, `true`, `false` and `null` end at the first sign that is part of none of them. */
function skipWord(text: string, from: number): number {
  const end = /[^\w.+-]/g;
  end.lastIndex = from;
  return end.exec(text)?.index ?? text.length;
}
