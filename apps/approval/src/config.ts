import { servicePorts } from "@countersign/contracts";
import { postgresConfig, serviceConfig } from "@countersign/service-kit";
import type { z } from "zod";

export const approvalConfig = serviceConfig.extend({
  ...postgresConfig.shape,
  PORT: serviceConfig.shape.PORT.default(servicePorts.approval),
});
export type ApprovalConfig = z.infer<typeof approvalConfig>;
