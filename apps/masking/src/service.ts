import { DurableTransport, Outbox, type ServiceDefinition, ViewTransport } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { maskingConfig } from "./config.js";
import { MaskingModule } from "./masking.module.js";
import { PolicyPublisher } from "./policy/policy.publisher.js";
import { SecondLook } from "./second-look/second-look.js";

/** One wiring for production and tests. */
export const maskingService: ServiceDefinition<typeof maskingConfig> = {
  name: "masking",
  config: maskingConfig,
  module: () => MaskingModule,
  transports: (app, around) => {
    const outbox = app.get(Outbox);
    const secondLook = app.get(SecondLook);
    const view = new ViewTransport(around, [{ topic: "policy.bundles" }, { topic: "masking.policies" }]);
    app.get(PolicyPublisher).start(() => view.whole);
    return [
      view,
      new DurableTransport(
        around,
        [
          { topic: "mcp.originals" },
          { topic: "approval.events", ignores: ["ApprovalRequested", "ApprovalAttemptRefused"] },
        ],
        { dataSource: app.get(DataSource), schema: "masking", afterCommit: () => outbox.wake() },
      ),
      new DurableTransport(around, [{ topic: "mcp.traffic" }], {
        dataSource: app.get(DataSource),
        schema: "masking",
        group: "masking-second-look",
        unhurried: true,
        batch: (deliveries, manager) => secondLook.take(deliveries, manager),
        afterCommit: () => outbox.wake(),
      }),
    ];
  },
};
