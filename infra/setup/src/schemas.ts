import { approvalSchema } from "@countersign/approval";
import { auditSchema } from "@countersign/audit";
import type { ServiceName } from "@countersign/contracts";
import { identitySchema } from "@countersign/identity";
import { maskingSchema } from "@countersign/masking";
import type { ServiceSchema } from "@countersign/service-kit";
import { sessionBrokerSchema } from "@countersign/session-broker";

/** The services that keep tables; the proxy keeps none. */
export type ServiceWithTables = Exclude<ServiceName, "proxy">;

/** Each service's own schema and migrations. */
export const schemas = {
  identity: identitySchema,
  "session-broker": sessionBrokerSchema,
  approval: approvalSchema,
  masking: maskingSchema,
  audit: auditSchema,
} as const satisfies Record<ServiceWithTables, ServiceSchema>;

export const servicesWithTables = Object.keys(schemas) as ServiceWithTables[];
