import { z } from "zod";

/**
 * An OCSF 1.8 event. The base attributes that every class requires are checked here; what each class adds is built
 * by the audit service. https://schema.ocsf.io
 */
export const ocsfEvent = z.looseObject({
  activity_id: z.int(),
  category_uid: z.int(),
  class_uid: z.int(),
  type_uid: z.int(),
  severity_id: z.int(),
  time: z.int().describe("Milliseconds since the epoch."),
  metadata: z.looseObject({
    version: z.literal("1.8.0"),
    product: z.looseObject({ name: z.string(), vendor_name: z.string(), version: z.string() }),
    uid: z.string().describe("The event id of the record."),
    sequence: z.int().optional().describe("The record's index in the evidence log."),
    correlation_uid: z.string().optional().describe("The session id."),
  }),
});
export type OcsfEvent = z.infer<typeof ocsfEvent>;
