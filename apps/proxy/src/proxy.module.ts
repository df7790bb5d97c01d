import type { Server } from "node:http";
import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from "@nestjs/common";
import { HttpAdapterHost } from "@nestjs/core";
import {
  Clock,
  CONFIG,
  EventLog,
  Health,
  LOG,
  type Logger,
  Metrics,
  Replay,
  SURROUNDINGS,
  type Surroundings,
  TokenVerifier,
} from "@countersign/service-kit";
import type { ProxyConfig } from "./config.js";
import { Scanner } from "./evidence/payloads.js";
import { Recorder } from "./evidence/recorder.js";
import { Recovery } from "./evidence/recovery.js";
import { Sealer } from "./evidence/seal.js";
import { Holds } from "./holds.js";
import { McpController } from "./mcp.controller.js";
import { MetadataController } from "./metadata.controller.js";
import { Pipeline } from "./pipeline.js";
import { ProxyMetrics } from "./proxy.metrics.js";
import { McpSessionIds } from "./upstream/mcp-session-id.js";
import { ToolBook } from "./tools/tool-book.js";
import { Upstreams } from "./upstream/upstreams.js";
import { Waiting } from "./waiting.js";
import { ApprovalConsumer } from "./views/approval.consumer.js";
import { CardDataConsumer } from "./views/card-data.consumer.js";
import { CardDataView } from "./views/card-data.view.js";
import { HoldsConsumer } from "./views/holds.consumer.js";
import { PolicyConsumer } from "./views/policy.consumer.js";
import { PolicyView } from "./views/policy.view.js";
import { SessionConsumer } from "./views/session.consumer.js";
import { SessionView } from "./views/session.view.js";
import { ToolsConsumer } from "./views/tools.consumer.js";

/** The data path: views of what other services decided, the recorder, and the pipeline that every request takes. */
@Module({
  controllers: [
    McpController,
    MetadataController,
    SessionConsumer,
    PolicyConsumer,
    CardDataConsumer,
    ApprovalConsumer,
    HoldsConsumer,
    ToolsConsumer,
  ],
  providers: [
    SessionView,
    PolicyView,
    CardDataView,
    ToolBook,
    Holds,
    Waiting,
    {
      provide: Upstreams,
      inject: [CONFIG, LOG, Metrics],
      useFactory: (config: ProxyConfig, log: Logger, metrics: Metrics) => new Upstreams(config, log, metrics),
    },
    {
      provide: Recorder,
      inject: [CONFIG, EventLog, Clock, LOG],
      useFactory: (config: ProxyConfig, eventLog: EventLog, clock: Clock, log: Logger) =>
        new Recorder({ id: config.PROXY_ID, eventLog, clock, log }),
    },
    {
      provide: Recovery,
      inject: [SURROUNDINGS, Recorder, Clock, LOG],
      useFactory: (around: Surroundings, recorder: Recorder, clock: Clock, log: Logger) => {
        const replay = new Replay(around, "mcp.traffic", `countersign-proxy-${recorder.id}-recovery`);
        return new Recovery(replay, recorder, clock, log);
      },
    },
    {
      provide: Pipeline,
      inject: [
        CONFIG,
        TokenVerifier,
        PolicyView,
        SessionView,
        CardDataView,
        ToolBook,
        Recorder,
        Recovery,
        Holds,
        Waiting,
        Upstreams,
        EventLog,
        Clock,
        LOG,
        Metrics,
      ],
      useFactory: (
        config: ProxyConfig,
        tokens: TokenVerifier,
        policy: PolicyView,
        sessions: SessionView,
        cardData: CardDataView,
        tools: ToolBook,
        recorder: Recorder,
        recovery: Recovery,
        holds: Holds,
        waiting: Waiting,
        upstream: Upstreams,
        eventLog: EventLog,
        clock: Clock,
        log: Logger,
        metrics: Metrics,
      ) =>
        new Pipeline({
          config,
          tokens,
          policy,
          sessions,
          tools,
          scanner: new Scanner(
            () => cardData.policy,
            config.FINGERPRINT_KEY_FILE,
            () => clock.now(),
          ),
          sealer: new Sealer(
            () => cardData.vaultKey,
            () => clock.newId(),
          ),
          recorder,
          recovery,
          holds,
          waiting,
          upstream,
          mcpSessionIds: new McpSessionIds(config.FINGERPRINT_KEY_FILE),
          eventLog,
          clock,
          log,
          metrics: new ProxyMetrics(metrics, () => holds.size),
        }),
    },
  ],
})
export class ProxyModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #recovered = false;

  constructor(
    private readonly pipeline: Pipeline,
    private readonly recorder: Recorder,
    private readonly recovery: Recovery,
    private readonly upstream: Upstreams,
    health: Health,
    policy: PolicyView,
    cardData: CardDataView,
    private readonly http: HttpAdapterHost,
    @Inject(LOG) private readonly log: Logger,
  ) {
    health.register("policy", () => (policy.engine ? undefined : "no policy bundle yet"));
    health.register("card data policy", () => (cardData.policy ? undefined : "no card-data policy yet"));
    health.register("vault key", () => (cardData.vaultKey ? undefined : "no vault key yet"));
    // One upstream's credential is no reason to stop carrying calls to the others.
    health.register("upstream credentials", () => upstream.credentialProblems, { required: false });
    health.register("recovery", () =>
      this.#recovered ? undefined : "ending what a former process left open",
    );
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.recorder.start();
    await this.recovery.run();
    this.#recovered = true;
    this.log.info({}, "recording");
  }

  async beforeApplicationShutdown(): Promise<void> {
    // Who connects now is turned away at the door, which tells a load balancer to go to another replica.
    (this.http.httpAdapter.getHttpServer() as Server).close();
    await this.pipeline.stop();
    this.recovery.stop();
    // Programs that end have their last words recorded.
    await this.upstream.close();
    await this.recorder.stop();
  }
}
