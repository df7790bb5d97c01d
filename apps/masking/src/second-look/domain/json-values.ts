/** A string or number in a JSON text: where its token is, what it says, and its place as a JSON Pointer. */
export interface JsonValue {
  readonly start: number;
  readonly end: number;
  readonly value: string;
  /** The name of the field that it is in; what a list is called goes for what is in it. */
  readonly key: string;
  readonly path: string;
}

interface Container {
  readonly array: boolean;
  readonly path: string;
  /** What its own field is called. */
  readonly key: string;
  index: number;
  name: string | undefined;
}

const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\],:]/gs;
const deepest = 200;

/** Every string and number of a JSON text in order, each at its place; undefined where the text is no JSON. */
export function jsonValuesOf(text: string): JsonValue[] | undefined {
  if (!isJson(text)) return undefined;
  const values: JsonValue[] = [];
  const open: Container[] = [];
  let afterKey = false;
  for (const match of text.matchAll(token)) {
    const [written] = match;
    const inside = open.at(-1);
    switch (written) {
      case "{":
      case "[": {
        const key = inside?.array === false ? (inside.name ?? "") : (inside?.key ?? "");
        open.push({ array: written === "[", path: placeIn(inside), key, index: 0, name: undefined });
        if (open.length > deepest) return undefined;
        afterKey = false;
        continue;
      }
      case "}":
      case "]":
        open.pop();
        continue;
      case ",":
        if (inside) inside.index += 1;
        afterKey = false;
        continue;
      case ":":
        afterKey = true;
        continue;
    }
    const value = written.startsWith('"') ? (JSON.parse(written) as string) : written;
    if (inside?.array === false && !afterKey) {
      inside.name = value;
      continue;
    }
    const key = inside?.array === false ? (inside.name ?? "") : (inside?.key ?? "");
    values.push({ start: match.index, end: match.index + written.length, value, key, path: placeIn(inside) });
  }
  return values;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** RFC 6901. */
const placeIn = (inside: Container | undefined): string => {
  if (!inside) return "";
  const step = inside.array ? String(inside.index) : (inside.name ?? "");
  return `${inside.path}/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`;
};
