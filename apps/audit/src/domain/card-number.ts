import { createHmac } from "node:crypto";

const separators = /[\s.\-/]/gu;
const digitsOnly = /^\d{12,19}$/;

/** The digits of a card number as people write it; undefined where its length or check digit says that it is none. */
export function cardDigitsOf(text: string): string | undefined {
  const digits = text.normalize("NFKC").replace(separators, "");
  return digitsOnly.test(digits) && hasCheckDigit(digits) ? digits : undefined;
}

/** What a finding of this card carries, under each of the keys. */
export const fingerprintsOf = (digits: string, keys: readonly Uint8Array[]): string[] =>
  keys.map((key) => createHmac("sha256", key).update(digits).digest("hex"));

/** ISO/IEC 7812-1, annex B: every second digit from the right is doubled. */
function hasCheckDigit(digits: string): boolean {
  const sum = digits
    .split("")
    .toReversed()
    .reduce((total, digit, position) => {
      const value = Number(digit) * (position % 2 === 1 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return sum % 10 === 0;
}
