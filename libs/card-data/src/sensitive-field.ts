import { foldUnicode } from "./fold.js";
import { KEY } from "./keys.js";
import type { Found } from "./rewrite.js";
import type { SensitiveMatch } from "./sensitive.js";

const CLAIMED_UNITS_MAX = 4096;

/** The whole of a field whose name says that it is sensitive, if its value can be that. */
export function sensitiveField(value: string, meaning: number): Found | undefined {
  if (value.length > CLAIMED_UNITS_MAX) return undefined;
  const text = foldUnicode(value).text.trim();
  let kind: SensitiveMatch["kind"] | undefined;
  if (
    (meaning & KEY.cvv) !== 0 &&
    /^\d[\d -]{1,4}\d$/.test(text) &&
    /^\d{3,4}$/.test(text.replace(/[ -]/g, ""))
  ) {
    kind = "cvv";
  } else if ((meaning & KEY.pinBlock) !== 0 && /^(?:0x)?(?:[0-9a-f]{2}[ :-]?){8,24}$/i.test(text)) {
    kind = "pinblock";
  } else if ((meaning & KEY.pin) !== 0 && /^\d{4,12}$/.test(text)) kind = "pin";
  else if ((meaning & KEY.track) !== 0 && (text.match(/\d/g)?.length ?? 0) >= 12) kind = "track";
  if (!kind) return undefined;
  const stars = "*".repeat(value.length);
  return {
    findings: [
      {
        kind,
        brand: undefined,
        rule: `${kind}.key`,
        start: 0,
        end: value.length,
        digits: undefined,
        ends: false,
      },
    ],
    rewrites: [{ start: 0, end: value.length, masked: stars, withoutSad: stars }],
  };
}
