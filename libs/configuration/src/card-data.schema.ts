import { allowedShape, opaqueHandling, requestHandling, strictness } from "@countersign/contracts";
import { z } from "zod";

const namesMax = 500;
const shapesMax = 200;
/** Longer names are not looked up. */
const nameUnitsMax = 64;

const fixed = (message: string, fix: string) => ({ error: message, params: { fix } });

/** A key is compared by its letters and digits alone, so it needs some. */
const keyName = z
  .string()
  .max(nameUnitsMax)
  .refine(
    (name) => /[\p{L}\p{N}]/u.test(name),
    fixed("must be the name of a field", "Write it as it is in the data, such as kartennummer."),
  );

/** Fewer letters would be found beside nearly every number. */
const contextWord = z
  .string()
  .max(nameUnitsMax)
  .refine(
    (word) => word.trim().length >= 2,
    fixed("must be a word of two letters or more", "Write a word that stands beside card numbers."),
  );

const allowed = z.strictObject({
  pattern: z
    .string()
    .max(nameUnitsMax)
    .refine(
      (pattern) => allowedShape.test(pattern),
      fixed(
        "must be a shape such as ORD-################",
        "Write # for each digit, in one run, with two letters or more around it; a shape of bare digits would let every card through.",
      ),
    ),
  reason: z.string().min(1).max(500),
  expires: z.iso.date({ error: "must be a day such as 2027-12-31" }),
});

const additions = {
  panKeys: z.array(keyName).max(namesMax).default([]),
  cvvKeys: z.array(keyName).max(namesMax).default([]),
  trackKeys: z.array(keyName).max(namesMax).default([]),
  pinKeys: z.array(keyName).max(namesMax).default([]),
  contextWords: z.array(contextWord).max(namesMax).default([]),
  /** Shapes of known identifiers that are no cards, each with a reason and an end. */
  allow: z.array(allowed).max(shapesMax).default([]),
};

/** What holds at every endpoint. */
export const cardData = z.strictObject({
  ...additions,
  strictness: strictness.default("normal"),
  requests: requestHandling.default("forward"),
  opaque: opaqueHandling.default("pass"),
});

/** What one endpoint adds; its handling of requests and of opaque content holds instead. */
export const endpointCardData = z.strictObject({
  ...additions,
  strictness: strictness.optional(),
  requests: requestHandling.optional(),
  opaque: opaqueHandling.optional(),
});
