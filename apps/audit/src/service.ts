import { DurableTransport, type ServiceDefinition, ViewTransport } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { AuditModule } from "./audit.module.js";
import { auditConfig } from "./config.js";
import { projectedTopics } from "./projected-topics.js";
import { Projection } from "./projection.js";
import { Relays } from "./relays.js";

/** One wiring for production and tests. */
export const auditService: ServiceDefinition<typeof auditConfig> = {
  name: "audit",
  config: auditConfig,
  module: () => AuditModule,
  transports: (app, around) => {
    const projection = app.get(Projection);
    const relays = app.get(Relays);
    return [
      new DurableTransport(
        around,
        projectedTopics.map((topic) => ({ topic })),
        {
          dataSource: app.get(DataSource),
          schema: "audit",
          unhurried: true,
          batch: (deliveries, manager) => projection.append(deliveries, manager),
          afterCommit: () => relays.wake(),
        },
      ),
      new ViewTransport(around, [{ topic: "policy.bundles" }]),
    ];
  },
};
