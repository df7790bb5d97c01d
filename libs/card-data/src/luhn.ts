/** ISO/IEC 7812-1 annex B: the check digit of a card number, over ASCII digits. */
export function passesLuhn(digits: string): boolean {
  return luhnSum(digits, false) % 10 === 0;
}

/** The digit that makes `payload` followed by it pass. */
export function luhnDigit(payload: string): string {
  return String((10 - (luhnSum(payload, true) % 10)) % 10);
}

function luhnSum(digits: string, doubleLast: boolean): number {
  let sum = 0;
  let double = doubleLast;
  for (let i = digits.length - 1; i >= 0; i--) {
    const digit = digits.charCodeAt(i) - 48;
    if (double) sum += digit > 4 ? digit * 2 - 9 : digit * 2;
    else sum += digit;
    double = !double;
  }
  return sum;
}
