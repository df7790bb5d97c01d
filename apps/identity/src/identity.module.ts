import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from "@nestjs/common";
import { type Configuration, loadConfiguration } from "@countersign/configuration";
import { Clock, LOG, type Logger, PostgresModule, Ticker } from "@countersign/service-kit";
import { Provider } from "oidc-provider";
import { DataSource } from "typeorm";
import { type IdentityConfig, readSecretFile } from "./config.js";
import { audienceOf } from "./domain/audience.js";
import { HomeController } from "./home.controller.js";
import { IdentityEvents } from "./identity-events.js";
import { Authorizations } from "./interaction/authorizations.js";
import { InteractionController } from "./interaction/interaction.controller.js";
import { IdentityProviders } from "./login/identity-providers.js";
import { LoginController } from "./login/login.controller.js";
import { LoginStates } from "./login/login-state.js";
import { createProvider } from "./provider/provider.js";
import { loadSigningKeys } from "./provider/signing-keys.js";
import { registerTokenExchange } from "./provider/token-exchange.js";
import { Seals } from "./seals.js";
import { SessionRequests } from "./session-requests.js";
import { Logins } from "./store/logins.js";
import { removeExpired } from "./store/oidc-store.js";
import { EndpointsView } from "./views/endpoints.view.js";
import { SessionsView } from "./views/sessions.view.js";
import { ViewsConsumer } from "./views/views.consumer.js";

const CONFIGURATION = Symbol("configuration");
const sweepMs = 60_000;

/** The authorization server, the login behind it, and the pages in between. */
@Module({})
export class IdentityModule implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #sweeper: Ticker;

  static for(config: IdentityConfig): DynamicModule {
    return {
      module: IdentityModule,
      imports: [PostgresModule.forSchema("identity")],
      controllers: [HomeController, InteractionController, LoginController, ViewsConsumer],
      providers: [
        EndpointsView,
        SessionsView,
        IdentityEvents,
        SessionRequests,
        Authorizations,
        {
          provide: CONFIGURATION,
          useFactory: () => loadConfiguration(config.COUNTERSIGN_CONFIG, process.env),
        },
        { provide: Seals, useFactory: () => new Seals(readSecretFile(config.COOKIE_SECRET_FILE)) },
        {
          provide: Logins,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => new Logins(dataSource),
        },
        {
          provide: IdentityProviders,
          inject: [CONFIGURATION, Seals, Clock],
          useFactory: ({ identityProviders }: Configuration, seals: Seals, clock: Clock) =>
            new IdentityProviders(
              identityProviders,
              config.ISSUER_URL,
              new LoginStates(seals, config.ISSUER_URL.startsWith("https:"), () => clock.now()),
            ),
        },
        {
          provide: Provider,
          inject: [
            CONFIGURATION,
            Seals,
            DataSource,
            EndpointsView,
            SessionsView,
            Logins,
            IdentityEvents,
            SessionRequests,
            Clock,
            LOG,
          ],
          useFactory: (...parts: Parts) => assemble(config, parts),
        },
      ],
    };
  }

  constructor(dataSource: DataSource, @Inject(LOG) log: Logger) {
    this.#sweeper = new Ticker({
      dataSource,
      log,
      name: "identity.expired",
      everyMs: sweepMs,
      task: () => removeExpired(dataSource),
    });
  }

  onApplicationBootstrap(): void {
    this.#sweeper.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#sweeper.stop();
  }
}

type Parts = [
  Configuration,
  Seals,
  DataSource,
  EndpointsView,
  SessionsView,
  Logins,
  IdentityEvents,
  SessionRequests,
  Clock,
  Logger,
];

async function assemble(config: IdentityConfig, parts: Parts): Promise<Provider> {
  const [configuration, seals, dataSource, endpoints, sessions, logins, events, requests, clock, log] = parts;
  const keys = await loadSigningKeys(config.IDENTITY_KEYS_FILE);
  const provider = createProvider({
    config,
    keys,
    seals,
    dataSource,
    endpoints,
    sessions,
    logins,
    events,
    requests,
    clock,
    log,
  });
  registerTokenExchange(provider, {
    issuers: configuration.workloadIssuers,
    audienceOf: (resource) => audienceOf(resource, config.GATEWAY_URL, endpoints.all()),
    events,
    requests,
    clock,
  });
  return provider;
}
