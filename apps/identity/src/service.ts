import { type ServiceDefinition, ViewTransport } from "@countersign/service-kit";
import { identityConfig } from "./config.js";
import { IdentityModule } from "./identity.module.js";
import { mountProvider } from "./mount.js";

/** No session lasts longer than a day; what began before that has ended. */
const sessionsSinceMs = 25 * 3_600 * 1_000;

export const identityService: ServiceDefinition<typeof identityConfig> = {
  name: "identity",
  config: identityConfig,
  module: (config) => IdentityModule.for(config),
  prepare: mountProvider,
  transports: (_app, around) => [
    new ViewTransport(around, [
      { topic: "policy.bundles" },
      {
        topic: "session.events",
        sinceMs: sessionsSinceMs,
        ignores: ["SessionRequested", "SessionExtensionRequested", "SessionExtensionRefused"],
      },
    ]),
  ],
};
