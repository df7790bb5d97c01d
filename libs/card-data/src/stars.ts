import type { Folded } from "./fold.js";

/**
 * The source of the folded stretch `from`..`to` with a star in place of each unit that `hides` names. Everything
 * else, signs that were dropped in folding included, stays as the source has it, and escapes keep their form and
 * their width.
 */
export function starsFor(
  source: string,
  folded: Folded,
  from: number,
  to: number,
  hides: (at: number) => boolean,
): string {
  const { starts, ends } = folded;
  let out = "";
  let copied = starts ? starts[from]! : from;
  for (let at = from; at < to; at++) {
    const start = starts ? starts[at]! : at;
    const end = ends ? ends[at]! : at + 1;
    if (!hides(at) || start < copied || start === end) continue;
    out += source.slice(copied, start) + star(source.slice(start, end));
    copied = end;
  }
  return out + source.slice(copied, ends ? ends[to - 1]! : to);
}

function star(unit: string): string {
  if (unit.length === 1) return "*";
  const percent = /^(%(?:25)*)[0-9a-f]{2}$/i.exec(unit);
  if (percent) return `${percent[1]}2A`;
  if (/^(?:%[0-9a-f]{2})+$/i.test(unit)) return "%2A".repeat(unit.length / 3);
  const decimal = /^(.*#)(\d+)(;?)$/.exec(unit);
  if (decimal) return decimal[1] + "42".padStart(decimal[2]!.length, "0") + decimal[3];
  const hex = /^(.*(?:#x|\\u|\\x))([0-9a-f]+)(;?)$/i.exec(unit);
  if (hex) return hex[1] + "2a".padStart(hex[2]!.length, "0") + hex[3];
  return "*".repeat(unit.length);
}
