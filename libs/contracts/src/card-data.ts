import { z } from "zod";

export const findingKind = z.enum(["pan", "cvv", "track", "pin", "pinblock", "unscanned"]);
export type FindingKind = z.infer<typeof findingKind>;

/**
 * Card data found in a message. It never holds more of a card number than PCI DSS 3.4.1 lets anyone see: first six
 * and last four at the most.
 */
export const finding = z.object({
  kind: findingKind,
  brand: z.string().optional(),
  path: z.string().describe("JSON Pointer (RFC 6901) of the value; empty for plain text."),
  start: z.int().describe("Offset in UTF-16 code units into the decoded string at `path`."),
  end: z.int(),
  rule: z.string().describe("The detector that found it."),
  first6: z.string().max(6).optional(),
  last4: z.string().max(4).optional(),
  fingerprint: z
    .string()
    .optional()
    .describe("HMAC-SHA-256 of the card number under the deployment's key, hex."),
});
export type Finding = z.infer<typeof finding>;

/** What a company adds to the built-in detectors; the masking service owns and publishes it. */
export const cardDataPolicy = z.object({
  version: z.string(),
  panKeys: z.array(z.string()).default([]),
  cvvKeys: z.array(z.string()).default([]),
  trackKeys: z.array(z.string()).default([]),
  pinKeys: z.array(z.string()).default([]),
  contextWords: z.array(z.string()).default([]),
  allow: z
    .array(z.object({ pattern: z.string(), reason: z.string(), expires: z.iso.date() }))
    .default([])
    .describe("Shapes of known identifiers that are not cards, each with a reason and an end."),
});
export type CardDataPolicy = z.infer<typeof cardDataPolicy>;
