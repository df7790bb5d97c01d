import type { Extent } from "./extents.js";

export interface Replacement extends Extent {
  readonly text: string;
}

/** The text with stretches of it replaced; every other sign stays. Replacements come in order and do not overlap. */
export function splice(text: string, replacements: readonly Replacement[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, text: instead } of replacements) {
    parts.push(text.slice(from, start), instead);
    from = end;
  }
  return parts.join("") + text.slice(from);
}

/** What to cut so that only the chosen elements of an array stay, and as many commas as they need. */
export function cutsOf(elements: readonly Extent[], keeps: (index: number) => boolean): Replacement[] {
  const stays = elements.map((_, index) => keeps(index));
  const lastKept = stays.lastIndexOf(true);
  const end = elements.at(-1)?.end ?? 0;
  return elements.flatMap((element, index): Replacement[] => {
    // After the last one that stays, everything goes at once, its own comma included.
    if (index > lastKept && lastKept !== -1) return [];
    if (index === lastKept) return element.end === end ? [] : [{ start: element.end, end, text: "" }];
    if (stays[index]) return [];
    return [{ start: element.start, end: elements[index + 1]?.start ?? end, text: "" }];
  });
}
