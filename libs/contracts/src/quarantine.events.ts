import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { sha256 } from "./primitives.js";

export const messageQuarantined = define(
  "MessageQuarantined",
  z.object({
    topic: z.string(),
    partition: z.int(),
    offset: z.string(),
    consumer: z.string(),
    reason: z.enum(["unknown_type", "invalid_envelope", "invalid_data", "not_allowed", "handler_refused"]),
    detail: z.string().describe("Paths and codes; never values."),
    valueSha256: sha256,
    bytes: z.int(),
  }),
  "A consumer met a message that it cannot read; the message stays where it is, named by its place.",
);

export const quarantineEvents = [messageQuarantined] as const;
export type MessageQuarantined = DataOf<typeof messageQuarantined>;
