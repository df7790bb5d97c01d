import type { Strictness } from "@countersign/contracts";

import { brandOf } from "./brands.js";
import { KEY } from "./keys.js";
import { passesLuhn } from "./luhn.js";
import { digitGroups, PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./digit-groups.js";
import { findPans } from "./pan.js";
import type { Found } from "./rewrite.js";

/**
 * Card data in a JSON number. A number loses leading zeros, so codes and PINs may be a digit shorter here. The
 * rewrite stands for the whole literal: a string, since no number can hold stars.
 */
export function scanNumber(literal: string, meaning: number, strictness: Strictness): Found | undefined {
  const kind = sensitiveKind(literal, meaning);
  const end = literal.length;
  if (kind) {
    const stars = quoted("*".repeat(end));
    return {
      findings: [
        { kind, brand: undefined, rule: `${kind}.key`, start: 0, end, digits: undefined, ends: false },
      ],
      rewrites: [{ start: 0, end, masked: stars, withoutSad: stars }],
    };
  }
  if (/[eE]/.test(literal)) return scanExponent(literal);
  const [pan] = findPans(literal, digitGroups(literal), {
    context: (meaning & KEY.context) !== 0,
    panKey: (meaning & KEY.pan) !== 0,
    other: (meaning & KEY.other) !== 0,
    contextWords: [],
    allowed: [],
    strictness,
  });
  const reading = pan?.readings[0];
  if (!pan || !reading) return undefined;
  const stars = "*".repeat(Math.max(0, pan.to - pan.from - pan.showFirst - pan.showLast));
  const masked = literal.slice(0, pan.from + pan.showFirst) + stars + literal.slice(pan.to - pan.showLast);
  return {
    findings: [{ kind: "pan", ...reading, start: 0, end, ends: pan.showLast > 0 }],
    rewrites: [{ start: 0, end, masked: quoted(masked), withoutSad: literal }],
  };
}

function sensitiveKind(literal: string, meaning: number): "cvv" | "pin" | "pinblock" | "track" | undefined {
  if (!/^\d+$/.test(literal)) return undefined;
  const { length } = literal;
  if ((meaning & KEY.cvv) !== 0 && length >= 2 && length <= 4) return "cvv";
  if ((meaning & KEY.pin) !== 0 && length >= 3 && length <= 12) return "pin";
  if ((meaning & KEY.pinBlock) !== 0 && length >= 12) return "pinblock";
  if ((meaning & KEY.track) !== 0 && length >= 12) return "track";
  return undefined;
}

const EXPONENT = /^-?(\d{1,40})(?:\.(\d{1,40}))?[eE]([+-]?\d{1,4})$/;
/** Fewer digits before the zeros are a round number. */
const SIGNIFICANT_DIGITS_MIN = 6;

/** `4.111111111111111e+15`, as some languages print a whole number, and every other way to write one. */
function scanExponent(literal: string): Found | undefined {
  const [, whole, fraction = "", exponent = ""] = EXPONENT.exec(literal) ?? [];
  if (whole === undefined) return undefined;
  const zeros = Number(exponent) - fraction.length;
  const written = whole + fraction;
  if (zeros > PAN_DIGITS_MAX || (zeros < 0 && !/^0*$/.test(written.slice(zeros)))) return undefined;
  const digits = (zeros < 0 ? written.slice(0, zeros) : written + "0".repeat(zeros)).replace(/^0+/, "");
  const { length } = digits;
  if (length < PAN_DIGITS_MIN || length > PAN_DIGITS_MAX) return undefined;
  if (digits.replace(/0+$/, "").length < SIGNIFICANT_DIGITS_MIN) return undefined;
  const brand = passesLuhn(digits) ? brandOf(digits) : undefined;
  if (!brand) return undefined;
  const end = literal.length;
  const masked = `${digits.slice(0, 6)}${"*".repeat(length - 10)}${digits.slice(-4)}`;
  return {
    findings: [{ kind: "pan", digits, brand: brand.brand, rule: "pan.range", start: 0, end, ends: true }],
    rewrites: [{ start: 0, end, masked: quoted(masked), withoutSad: literal }],
  };
}

function quoted(text: string): string {
  return `"${text}"`;
}
