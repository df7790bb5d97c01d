import type { Random } from "./matrix.js";

/** How often people write a card that way, among 1,000. */
type Writing = readonly [name: string, weight: number, write: (digits: string, random: Random) => string];

/**
 * The ways in which people write a card's digits, from neat to careless. How often each is met is an estimate, so the
 * report tells them apart; those that are out of reach are among them.
 */
const WRITINGS: readonly Writing[] = [
  ["in one", 300, (digits) => digits],
  ["blanks", 200, (digits) => printed(digits).join(" ")],
  ["hyphens", 90, (digits) => printed(digits).join("-")],
  ["dots", 30, (digits) => printed(digits).join(".")],
  ["slashes", 15, (digits) => printed(digits).join("/")],
  ["underscores", 10, (digits) => printed(digits).join("_")],
  ["double blanks", 20, (digits) => printed(digits).join("  ")],
  ["no-break blanks", 20, (digits) => printed(digits).join("\u00a0")],
  ["dashes", 15, (digits) => printed(digits).join("\u2013")],
  ["spaced hyphens", 15, (digits) => printed(digits).join(" - ")],
  ["one group a line", 15, (digits) => printed(digits).join("\n")],
  ["tabs", 5, (digits) => printed(digits).join("\t")],
  ["commas and blanks", 10, (digits) => printed(digits).join(", ")],
  ["commas", 5, (digits) => printed(digits).join(",")],
  ["bars", 3, (digits) => printed(digits).join(" | ")],
  ["colons", 3, (digits) => printed(digits).join(":")],
  ["three dots", 3, (digits) => printed(digits).join("... ")],
  ["brackets", 3, (digits) => `(${printed(digits).join(") (")})`],
  ["pointing hands", 2, (digits) => printed(digits).join(" \u{1F449} ")],
  [
    "borders as they come",
    40,
    (digits, random) => joinedBy(printed(digits), random, [" ", "-", "", ".", "  "]),
  ],
  ["cut anyhow, blanks", 3, (digits, random) => joinedBy(cut(digits, random), random, [" "])],
  ["cut anyhow, hyphens", 1, (digits, random) => joinedBy(cut(digits, random), random, ["-"])],
  ["cut anyhow, mixed", 1, (digits, random) => joinedBy(cut(digits, random), random, [" ", "-", "."])],
  ["pairs, blanks", 25, (digits) => pieces(digits, 2).join(" ")],
  ["pairs, hyphens", 5, (digits) => pieces(digits, 2).join("-")],
  ["digit by digit", 20, (digits) => pieces(digits, 1).join(" ")],
  ["digit by digit, hyphens", 5, (digits) => pieces(digits, 1).join("-")],
  ["digit by digit, commas", 1, (digits) => pieces(digits, 1).join(", ")],
  ["threes", 15, (digits) => pieces(digits, 3).join(" ")],
  ["fives", 5, (digits) => pieces(digits, 5).join(" ")],
  ["six and the rest", 15, (digits) => `${digits.slice(0, 6)} ${digits.slice(6)}`],
  ["eights", 15, (digits) => pieces(digits, 8).join(" ")],
  ["eights over two lines", 2, (digits) => `${digits.slice(0, 8)}\n${digits.slice(8)}`],
  [
    "over two quoted lines",
    3,
    (digits) => `${digits.slice(0, 4)} ${digits.slice(4, 8)}\n> ${digits.slice(8, 12)} ${digits.slice(12)}`,
  ],
  [
    "full width",
    10,
    (digits) => digits.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
  ],
  ["O for zero", 1, (digits) => digits.replaceAll("0", "O")],
  ["spelled in words", 1, (digits) => digits.replace(/\d/g, (digit) => `${WORDS[Number(digit)]} `).trimEnd()],
];

const WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const WEIGHTS = WRITINGS.reduce((sum, [, weight]) => sum + weight, 0);

/** The card as somebody may write it, and what that way of writing is called. */
export function writeCard(digits: string, random: Random): { writing: string; written: string } {
  let left = random() * WEIGHTS;
  const [writing, , write] = WRITINGS.find(([, weight]) => (left -= weight) < 0) ?? WRITINGS[0]!;
  return { writing, written: write(digits, random) };
}

/** Groups as cards of that length are printed. */
function printed(digits: string): string[] {
  if (digits.length === 14 || digits.length === 15) {
    return [digits.slice(0, 4), digits.slice(4, 10), digits.slice(10)];
  }
  return pieces(digits, 4);
}

function pieces(digits: string, size: number): string[] {
  return digits.match(new RegExp(`\\d{1,${size}}`, "g")) ?? [digits];
}

/** Groups of three to eight digits, as they come. */
function cut(digits: string, random: Random): string[] {
  const groups: string[] = [];
  for (let at = 0; at < digits.length;) {
    const size = 3 + Math.floor(random() * 6);
    groups.push(digits.slice(at, at + size));
    at += size;
  }
  return groups;
}

function joinedBy(groups: readonly string[], random: Random, signs: readonly string[]): string {
  return groups.reduce((text, group) => text + signs[Math.floor(random() * signs.length)]! + group);
}
