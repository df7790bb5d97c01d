import { DurableTransport, Outbox, type ServiceDefinition, ViewTransport } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { ApprovalModule } from "./approval.module.js";
import { approvalConfig } from "./config.js";
import { schemaName as schema } from "./schema-name.js";

export const approval: ServiceDefinition<typeof approvalConfig> = {
  name: "approval",
  config: approvalConfig,
  module: () => ApprovalModule,
  transports: (app, around) => {
    const outbox = app.get(Outbox);
    return [
      new DurableTransport(around, [{ topic: "approval.commands" }], {
        dataSource: app.get(DataSource),
        schema,
        afterCommit: () => outbox.wake(),
      }),
      new ViewTransport(around, [{ topic: "policy.bundles" }]),
    ];
  },
};
