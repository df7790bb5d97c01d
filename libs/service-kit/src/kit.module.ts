import { type DynamicModule, Module, type OnApplicationShutdown } from "@nestjs/common";
import { APP_FILTER, APP_GUARD, HttpAdapterHost, Reflector } from "@nestjs/core";
import type { ServiceName } from "@countersign/contracts";
import { Clock } from "./clock.js";
import type { ServiceConfig } from "./config.js";
import { Health } from "./health.js";
import { ApiErrorFilter } from "./http/api-error.js";
import { AuthGuard } from "./http/auth.guard.js";
import { HealthController } from "./http/health.controller.js";
import { TokenVerifier } from "./http/token-verifier.js";
import { createKafka } from "./kafka/client.js";
import { EventLog } from "./kafka/event-log.js";
import type { Surroundings } from "./kafka/transport.js";
import type { Logger } from "./logs.js";
import { Metrics } from "./metrics.js";
import { CONFIG, LOG, SURROUNDINGS } from "./tokens.js";

/** What every service has: configuration, log, metrics, health, the event log and the guard in front of its API. */
@Module({})
export class KitModule implements OnApplicationShutdown {
  constructor(private readonly eventLog: EventLog) {}

  static for(service: ServiceName, config: ServiceConfig, log: Logger): DynamicModule {
    const metrics = new Metrics(service);
    const health = new Health();
    const kafka = createKafka(service, config.KAFKA_BROKERS, log);
    const eventLog = new EventLog({ kafka, service, log, metrics });
    health.register("kafka", () => eventLog.problem());
    const surroundings: Surroundings = { service, kafka, eventLog, log, metrics, health };
    const provided = [
      { provide: CONFIG, useValue: config },
      { provide: LOG, useValue: log },
      { provide: SURROUNDINGS, useValue: surroundings },
      { provide: Metrics, useValue: metrics },
      { provide: Health, useValue: health },
      { provide: EventLog, useValue: eventLog },
      { provide: Clock, useValue: new Clock() },
      {
        provide: TokenVerifier,
        useValue: new TokenVerifier({
          issuer: config.ISSUER_URL,
          ...(config.JWKS_URL === undefined ? {} : { jwksUrl: config.JWKS_URL }),
        }),
      },
    ];
    return {
      module: KitModule,
      global: true,
      controllers: [HealthController],
      providers: [
        ...provided,
        {
          provide: APP_GUARD,
          inject: [Reflector, TokenVerifier],
          useFactory: (reflector: Reflector, tokens: TokenVerifier) => new AuthGuard(reflector, tokens),
        },
        {
          provide: APP_FILTER,
          inject: [HttpAdapterHost],
          useFactory: (host: HttpAdapterHost) => new ApiErrorFilter(host, log),
        },
      ],
      exports: provided.map(({ provide }) => provide),
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.eventLog.close();
  }
}
