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

/**
 * A shape of known identifiers that are no cards, such as `ORD-################`: `#` is one digit, the rest is literal.
 * It needs two letters, since a shape of bare digits would let every card through, and one run of `#`.
 */
export const allowedShape = /^(?=(?:.*\p{L}){2})[^#]*#{1,40}[^#]*$/su;

/**
 * How sure the search has to be of twelve to nineteen digits: `normal` asks for a brand's range and the check digit, or
 * for the check digit and something nearby that speaks of cards; `strict` for the check digit alone; `strictest` for
 * nothing besides that they stand by themselves.
 */
export const strictness = z.enum(["normal", "strict", "strictest"]);
export type Strictness = z.infer<typeof strictness>;

/** What becomes of a request that holds card data. Its record is masked in any case. */
export const requestHandling = z.enum(["forward", "mask", "refuse"]);
export type RequestHandling = z.infer<typeof requestHandling>;

/** What becomes of a message with content that cannot be searched, such as a picture. */
export const opaqueHandling = z.enum(["pass", "refuse"]);
export type OpaqueHandling = z.infer<typeof opaqueHandling>;

/** What is added to the built-in detectors. */
const additions = {
  panKeys: z.array(z.string()).default([]),
  cvvKeys: z.array(z.string()).default([]),
  trackKeys: z.array(z.string()).default([]),
  pinKeys: z.array(z.string()).default([]),
  contextWords: z.array(z.string()).default([]),
  allow: z
    .array(z.object({ pattern: z.string(), reason: z.string(), expires: z.iso.date() }))
    .default([])
    .describe("Shapes of known identifiers that are not cards, each with a reason and an end."),
};

/** What one endpoint adds to the policy of all. */
export const endpointCardDataPolicy = z.object({
  ...additions,
  strictness: strictness.optional(),
  requests: requestHandling.optional(),
  opaque: opaqueHandling.optional(),
});
export type EndpointCardDataPolicy = z.infer<typeof endpointCardDataPolicy>;

/** What a company adds to the built-in detectors, and what becomes of what they find; masking owns and publishes it. */
export const cardDataPolicy = z.object({
  version: z.string(),
  ...additions,
  strictness: strictness.default("normal"),
  requests: requestHandling.default("forward").describe("What becomes of requests that hold card data."),
  opaque: opaqueHandling.default("pass").describe("What becomes of content that cannot be searched."),
  endpoints: z
    .record(z.string(), endpointCardDataPolicy)
    .default({})
    .describe(
      "By the name of the endpoint: lists are added to those of all, the rest holds instead. Each endpoint is named.",
    ),
});
export type CardDataPolicy = z.infer<typeof cardDataPolicy>;
