import { mayHoldBase64 } from "./base64.js";
import { mayHoldCutCard } from "./cut-cards.js";
import { hasOddUnits, mayHoldEscapes } from "./fold.js";
import { KEY } from "./keys.js";
import { mayHoldTable } from "./search-tables.js";
import type { Settings } from "./settings.js";
import { mayHoldCode, mayHoldPinBlock } from "./suspect-codes.js";
import { CARD_BY_CONTEXT, CARD_BY_NAME, judgeDigits, MAYBE_CARD } from "./suspect-digits.js";
import { borrowBytes, returnBytes } from "./text-bytes.js";

/** What of the searches of a text may find something; where one is not suspected it would find nothing. */
export interface Suspected {
  text: boolean;
  base64: boolean;
}

/** `meaning` is that of the text's field (see KEY). */
export function suspect(text: string, meaning: number, settings: Settings): Suspected {
  const least = Math.min(settings.suspicionMin, leastOf(meaning));
  const named = least <= CARD_BY_CONTEXT;
  const source = borrowBytes(text);
  try {
    const { length } = source;
    return {
      text:
        hasOddUnits(text) ||
        mayHoldEscapes(text) ||
        mayHoldTable(text) ||
        judgeDigits(text, source, 0, length, settings.contextWords, named) >= least ||
        mayHoldCode(text, source, 0, 0, length) ||
        mayHoldPinBlock(text, source, 0, length) ||
        mayHoldCutCard(text),
      base64: mayHoldBase64(source, 0, length),
    };
  } finally {
    returnBytes(source);
  }
}

/** The least that must be true of digits in a field of that meaning. */
function leastOf(meaning: number): number {
  if ((meaning & KEY.pan) !== 0) return CARD_BY_NAME;
  return (meaning & KEY.context) !== 0 ? CARD_BY_CONTEXT : MAYBE_CARD;
}
