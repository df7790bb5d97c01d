import type { JsonFrame, KeyNode } from "./json-frame.js";
import { namesOf } from "./json-frame.js";
import { encodeJsonFragment } from "./json-string.js";
import type { Rewrite } from "./rewrite.js";
import { applyRewrites } from "./rewrite.js";

/** The masked names of object keys that held card data, so that no path tells what the message no longer does. */
export class KeyNames {
  private readonly names = new Map<JsonFrame, Map<string, string>>();
  private readonly taken = new Map<JsonFrame, Set<string>>();
  private readonly counts = new Map<JsonFrame, Map<string, number>>();

  /**
   * The one rewrite of a key's token. Two cards may mask to one text, and an object must not get one key twice: the
   * second becomes `411111******1111#2`.
   */
  rewriteKey(
    text: string,
    frame: JsonFrame,
    key: string,
    rewrites: readonly Rewrite[],
    start: number,
    end: number,
  ): Rewrite[] {
    if (rewrites.length === 0) return [];
    const masked = this.unique(frame, applyRewrites(key, rewrites, "masked"));
    const kept = applyRewrites(key, rewrites, "withoutSad");
    const withoutSad =
      kept === key ? text.slice(start + 1, end - 1) : encodeJsonFragment(this.unique(frame, kept));
    entry(this.names, frame, () => new Map<string, string>()).set(key, masked);
    return [{ start: start + 1, end: end - 1, masked: encodeJsonFragment(masked), withoutSad }];
  }

  nameOf(frame: JsonFrame | undefined, key: string): string {
    return (frame && this.names.get(frame)?.get(key)) ?? key;
  }

  private unique(frame: JsonFrame, name: string): string {
    const taken = entry(this.taken, frame, () => new Set(namesOf(frame)));
    const counts = entry(this.counts, frame, () => new Map<string, number>());
    let count = counts.get(name) ?? 1;
    let unique = name;
    while (taken.has(unique)) unique = `${name}#${++count}`;
    counts.set(name, count);
    taken.add(unique);
    return unique;
  }
}

/** The JSON Pointer (RFC 6901) of a token, with masked names; the pointer of a key is that of its member. */
export function pointerTo(
  frame: JsonFrame | undefined,
  key: KeyNode | undefined,
  index: number,
  names: KeyNames,
): string {
  const parts: string[] = [];
  let holder = frame;
  let node = key;
  let position = index;
  while (holder) {
    parts.push(holder.array ? String(position) : escapePointer(names.nameOf(holder, node?.name ?? "")));
    ({ key: node, index: position, parent: holder } = holder);
  }
  return parts.length === 0 ? "" : `/${parts.toReversed().join("/")}`;
}

function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function entry<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
