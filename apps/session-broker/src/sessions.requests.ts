import { endpointName, id, revokeRequest, sessionStatus } from "@countersign/contracts";
import { z } from "zod";

/** Query of `GET /sessions`; the newest first. */
export const sessionQuery = z.object({
  status: sessionStatus.optional(),
  endpoint: z.string().optional(),
  principal: z.string().optional(),
  before: id.optional().describe("Session id of the last one seen."),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type SessionQuery = z.infer<typeof sessionQuery>;

/** Body of `POST /sessions/revoke`: every active session of a principal, of an endpoint, or of one on the other. */
export const revokeManyRequest = revokeRequest
  .extend({ principal: z.string().min(1).optional(), endpoint: endpointName.optional() })
  .refine(({ principal, endpoint }) => principal !== undefined || endpoint !== undefined, {
    error: "name a principal or an endpoint",
  });
export type RevokeManyRequest = z.infer<typeof revokeManyRequest>;
