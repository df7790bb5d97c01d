import { z } from "zod";
import { finding } from "./card-data.js";
import { id, sha256 } from "./primitives.js";

/**
 * A message as evidence keeps it: the masked text, its digest, what was found in it, and where the sealed original
 * is. A message in which nothing was found has no sealed original: its record is the original.
 */
export const payload = z.object({
  text: z.string().describe("The masked message."),
  sha256: sha256.describe("SHA-256 of `text` in UTF-8."),
  bytes: z.int().describe("Length of the message as it was received."),
  contentType: z.string(),
  findings: z.array(finding),
  leftOut: z
    .array(z.string())
    .optional()
    .describe("JSON Pointers (RFC 6901) to the entries of a list in `text` that the client was not shown."),
  original: z.object({ id, sha256: sha256.describe("SHA-256 of the sealed form (compact JWE).") }).optional(),
});
export type Payload = z.infer<typeof payload>;
