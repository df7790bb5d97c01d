import { z } from "zod";

/** Twelve digits or more, whatever stands between them: the shortest card number, and too long for a ticket. */
const longNumber = /(?:\p{Nd}[\p{Z}\p{Pd}\p{Cf}\t./_+,:]{0,3}){12}/u;

/** Ids of sessions, calls and tickets. About one in a hundred has twelve digits in a row, by chance. */
const uuid =
  /(?<![\p{L}\p{Nd}])[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}(?![\p{L}\p{Nd}])/giu;
const hexLetter = /[a-f]/i;
const withoutUuids = (text: string): string => text.replace(uuid, (id) => (hexLetter.test(id) ? "id" : id));

/**
 * Whether a text that a person wrote holds what may be a card number. Such texts are kept as evidence in the clear, so
 * they are refused before anything is recorded (PCI DSS 3.5.1). Errs on the side of refusing.
 */
export const holdsLongNumber = (text: string): boolean =>
  longNumber.test(withoutUuids(text.normalize("NFKC")));

export const longNumberRefused =
  "leave out card and account numbers (twelve digits or more): what is written here is kept as evidence";

/** A reason, comment or justification of a person. */
export const freeText = (charactersMin: number, charactersMax: number) =>
  z
    .string()
    .trim()
    .min(charactersMin)
    .max(charactersMax)
    .refine((text) => !holdsLongNumber(text), longNumberRefused);
