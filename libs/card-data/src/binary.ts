import type { LocalFinding } from "./rewrite.js";

/** How files that hold no plain text begin in base64: images, PDF, ZIP (office documents), gzip, sound, film. */
const BINARY =
  /^(?:data:[^,]{0,100};base64,)?(?:iVBORw0KGgo|\/9j\/|R0lGOD|JVBERi0|UEsDB|H4sI|UklGR|SUkqA|TU0AK|SUQz|T2dnUw|AAAA[A-Za-z0-9+/]{2,4}ZnR5c)/;
const BINARY_UNITS_MIN = 64;
const HEAD_UNITS = 160;

/** Whether the text is a file in base64 whose content, such as a picture of a card, this library cannot read. */
export function isBinary(text: string, start: number, end: number): boolean {
  return end - start >= BINARY_UNITS_MIN && BINARY.test(text.slice(start, Math.min(end, start + HEAD_UNITS)));
}

/** Says that a value of so many units could not be searched. */
export function unscannedBinary(units: number): LocalFinding {
  return unscanned(0, units, "binary");
}

export function unscanned(start: number, end: number, why: string): LocalFinding {
  return {
    kind: "unscanned",
    brand: undefined,
    rule: `unscanned.${why}`,
    start,
    end,
    digits: undefined,
    ends: false,
  };
}
