import { allowedShape, type CardDataPolicy } from "@countersign/contracts";

/** A known identifier that is not a card, such as `ORD-################`: `#` is one digit, the rest is literal. */
export interface AllowedShape {
  prefix: string;
  digits: number;
  suffix: string;
}

/**
 * The shapes that count on `today`. A shape that says nothing but digits would let every card through, so it never
 * counts: it needs two letters or more around its one run of `#`.
 */
export function compileAllowed(allow: CardDataPolicy["allow"], today: string | undefined): AllowedShape[] {
  if (today === undefined) return [];
  return allow.flatMap(({ pattern, expires }) => {
    const shape = /^([^#]*)(#+)([^#]*)$/.exec(pattern);
    const [, prefix = "", digits = "", suffix = ""] = shape ?? [];
    if (!shape || expires < today || !allowedShape.test(pattern)) return [];
    return [{ prefix, digits: digits.length, suffix }];
  });
}

const WORD = /[\p{L}\p{N}]/u;

/** Whether the digits at `from`..`to` are the digits of an allowed identifier that stands by itself. */
export function isAllowed(text: string, from: number, to: number, shapes: readonly AllowedShape[]): boolean {
  return shapes.some(({ prefix, digits, suffix }) => {
    if (to - from !== digits) return false;
    const start = from - prefix.length;
    const end = to + suffix.length;
    if (start < 0 || !text.startsWith(prefix, start) || !text.startsWith(suffix, to)) return false;
    return !WORD.test(text.charAt(start - 1)) && !WORD.test(text.charAt(end));
  });
}
