export { Clock } from "./clock.js";
export {
  ConfigInvalid,
  parseConfig,
  postgresConfig,
  type PostgresConfig,
  serviceConfig,
  type ServiceConfig,
} from "./config.js";
export { type Check, Health } from "./health.js";
export { ApiError, Shape } from "./http/api-error.js";
export { bearerOf, Caller, Public } from "./http/auth.guard.js";
export { TokenRefused, TokenVerifier } from "./http/token-verifier.js";
export { trustedProxies } from "./http/trusted-proxies.js";
export { readBounded } from "./http/read-bounded.js";
export { type VaultAnswer, VaultClient, VaultFailed } from "./http/vault-client.js";
export { keysFile } from "./keys-file.js";
export { createKafka } from "./kafka/client.js";
export { type Decoded, decodeEvent, encodeEvent } from "./kafka/codec.js";
export { DurableTransport } from "./kafka/durable.transport.js";
export { type Entry, EventLog, type Position } from "./kafka/event-log.js";
export { GroupCommit, LogUnavailable, RecordTooLarge } from "./kafka/group-commit.js";
export { type Delivery, type EventContext, OnEvent } from "./kafka/on-event.js";
export { quarantineOf } from "./kafka/quarantine.js";
export { type Bookmark, Replay } from "./kafka/replay.js";
export { EventRefused, type Subscription, type Surroundings } from "./kafka/transport.js";
export { type ViewSubscription, ViewTransport } from "./kafka/view.transport.js";
export { KitModule } from "./kit.module.js";
export { createLogger, describeError, type Logger } from "./logs.js";
export { Counter, Gauge, Histogram, Metrics } from "./metrics.js";
export { Ticker } from "./postgres/leader.js";
export { Outbox } from "./postgres/outbox.js";
export { PostgresModule } from "./postgres/postgres.module.js";
export { timed } from "./postgres/timed.js";
export {
  asRole,
  consumerOffsetsTable,
  type Migration,
  outboxTable,
  ownerRole,
  prepareSchema,
  runtimeRole,
  type ServiceSchema,
} from "./postgres/schema.js";
export { createService, runService, type ServiceDefinition } from "./run-service.js";
export { transitKeyId, transitKeyIdPrefix, transitKeyIdStart, wrapSessionKey } from "./session-key-wrap.js";
export { CONFIG, LOG, SURROUNDINGS } from "./tokens.js";
