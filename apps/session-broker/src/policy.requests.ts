import { authentication, client, endpointName, principal } from "@countersign/contracts";
import { z } from "zod";

const file = z.object({ file: z.string().min(1).max(200), text: z.string().max(1_000_000) });

/** Body of `POST /policy/check`. Without a schema the published one is used. */
export const checkRequest = z.object({
  policies: z.array(file).max(100),
  schema: z.string().max(1_000_000).optional(),
});
export type CheckRequest = z.infer<typeof checkRequest>;

const annotations = z.object({
  readOnlyHint: z.boolean().optional(),
  destructiveHint: z.boolean().optional(),
  idempotentHint: z.boolean().optional(),
  openWorldHint: z.boolean().optional(),
});
const operation = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tool"), name: z.string(), annotations: annotations.optional() }),
  z.object({ kind: z.literal("resource"), uri: z.string() }),
  z.object({ kind: z.literal("prompt"), name: z.string() }),
  z.object({ kind: z.literal("method"), name: z.string() }),
]);
const call = { principal, endpoint: endpointName, operation, arguments: z.unknown().optional(), client };
const session = {
  principal,
  endpoint: endpointName,
  client,
  justification: z.string().default(""),
  authentication,
  durationSeconds: z
    .int()
    .positive()
    .optional()
    .describe("How long it would be in all; as long as is usual there, if not said."),
};
const overEvidence = { principal, endpoint: endpointName.optional() };

/** Body of `POST /policy/simulate`: a question, and optionally the policies to ask instead of the published ones. */
export const simulateRequest = z.object({
  request: z.discriminatedUnion("action", [
    z.object({ action: z.literal("openSession"), ...session }),
    z.object({ action: z.literal("openSessionUnattended"), ...session }),
    z.object({ action: z.literal("call"), ...call }),
    z.object({ action: z.literal("callUnattended"), ...call }),
    z.object({
      action: z.literal("approve"),
      principal,
      endpoint: endpointName,
      tool: z.string(),
      requester: principal,
      arguments: z.unknown().optional(),
    }),
    z.object({ action: z.literal("reveal"), ...overEvidence }),
    z.object({ action: z.literal("revealUnattended"), ...overEvidence }),
    z.object({ action: z.literal("search"), ...overEvidence }),
    z.object({ action: z.literal("administer"), principal }),
  ]),
  at: z.iso.datetime().optional().describe("When to imagine it; now, if not said."),
  policies: z.array(file).max(100).optional(),
  schema: z.string().max(1_000_000).optional(),
});
export type SimulateRequest = z.infer<typeof simulateRequest>;
