import { DurableTransport, Outbox, type ServiceDefinition, ViewTransport } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { maskingConfig } from "./config.js";
import { MaskingModule } from "./masking.module.js";
import { PolicyPublisher } from "./policy/policy.publisher.js";

/** One wiring for production and tests. */
export const maskingService: ServiceDefinition<typeof maskingConfig> = {
  name: "masking",
  config: maskingConfig,
  module: () => MaskingModule,
  transports: (app, around) => {
    const outbox = app.get(Outbox);
    const view = new ViewTransport(around, [{ topic: "policy.bundles" }, { topic: "masking.policies" }]);
    app.get(PolicyPublisher).start(() => view.whole);
    return [
      view,
      new DurableTransport(around, [{ topic: "mcp.originals" }], {
        dataSource: app.get(DataSource),
        schema: "masking",
        afterCommit: () => outbox.wake(),
      }),
    ];
  },
};
