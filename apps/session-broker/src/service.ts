import { DurableTransport, Outbox, type ServiceDefinition } from "@countersign/service-kit";
import { DataSource } from "typeorm";
import { Activity, trafficTopic } from "./activity.js";
import { sessionBrokerConfig } from "./config.js";
import { schemaName as schema } from "./schema-name.js";
import { SessionBrokerModule } from "./session-broker.module.js";
import { activityGroup } from "./traffic-progress.js";

export const sessionBroker: ServiceDefinition<typeof sessionBrokerConfig> = {
  name: "session-broker",
  config: sessionBrokerConfig,
  module: () => SessionBrokerModule,
  transports: (app, around) => {
    const dataSource = app.get(DataSource);
    const outbox = app.get(Outbox);
    const activity = app.get(Activity);
    const sources = [
      { topic: "session.commands" },
      { topic: "approval.events", ignores: ["ApprovalRequested", "ApprovalAttemptRefused"] },
    ] as const;
    return [
      new DurableTransport(around, sources, {
        dataSource,
        schema,
        afterCommit: () => outbox.wake(),
      }),
      new DurableTransport(around, [{ topic: trafficTopic }], {
        dataSource,
        schema,
        group: activityGroup,
        unhurried: true,
        batch: (deliveries, manager) => activity.record(deliveries, manager),
      }),
    ];
  },
};
