import { mayHoldBase64 } from "./base64.js";
import { hasOddUnits, mayHoldEscapes } from "./fold.js";
import { mayHoldTable } from "./search-tables.js";
import { CARD_BY_NAME, judgeDigits, MAYBE_CARD, mayHoldCode, mayHoldPinBlock } from "./suspicion.js";
import { borrowBytes, returnBytes } from "./text-bytes.js";

/** What of the searches of a text may find something; where one is not suspected it would find nothing. */
export interface Suspected {
  text: boolean;
  base64: boolean;
}

/** `cardField` tells that the text's field is named for card numbers. */
export function suspect(text: string, cardField: boolean): Suspected {
  const source = borrowBytes(text);
  try {
    const { bytes, length } = source;
    return {
      text:
        hasOddUnits(text) ||
        mayHoldEscapes(text) ||
        mayHoldTable(text) ||
        judgeDigits(text, bytes, 0, length) >= (cardField ? CARD_BY_NAME : MAYBE_CARD) ||
        mayHoldCode(text, bytes, 0, length) ||
        mayHoldPinBlock(text, bytes, 0, length),
      base64: mayHoldBase64(bytes, 0, length),
    };
  } finally {
    returnBytes(source);
  }
}
