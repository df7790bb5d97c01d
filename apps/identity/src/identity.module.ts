import { type DynamicModule, type FactoryProvider, Module } from "@nestjs/common";
import type { Configuration } from "@countersign/configuration";
import { Clock, LOG, type Logger, PostgresModule, timed } from "@countersign/service-kit";
import { Provider } from "oidc-provider";
import { DataSource } from "typeorm";
import { type IdentityConfig, readConfiguration, readSecretFile } from "./config.js";
import { audienceOf } from "./domain/audience.js";
import { HomeController } from "./home.controller.js";
import { IdentityEvents } from "./identity-events.js";
import { Authorizations } from "./interaction/authorizations.js";
import { ClientConsents } from "./interaction/client-consents.js";
import { InteractionController } from "./interaction/interaction.controller.js";
import { LoginSteps } from "./interaction/login-steps.js";
import { BackChannelLogout } from "./login/back-channel-logout.js";
import { BackChannelLogoutController } from "./login/back-channel-logout.controller.js";
import { IdentityProviders } from "./login/identity-providers.js";
import { LoginController } from "./login/login.controller.js";
import { LoginStates } from "./login/login-state.js";
import { SamlLogout } from "./login/saml-logout.js";
import { recheck } from "./login/recheck.js";
import { PersonSessions } from "./person-sessions.js";
import { registerClientCredentials } from "./provider/client-credentials.js";
import { registerJwtBearer } from "./provider/jwt-bearer.js";
import { createProvider } from "./provider/provider.js";
import { loadSigningKeys } from "./provider/signing-keys.js";
import { registerTokenExchange } from "./provider/token-exchange.js";
import { requireReadable } from "./readable.js";
import { Seals } from "./seals.js";
import { SessionRequests } from "./session-requests.js";
import { AskedSessions } from "./store/asked-sessions.js";
import { GrantTerms } from "./store/grant-terms.js";
import { Logins } from "./store/logins.js";
import { OidcStore } from "./store/oidc-store.js";
import { OneTime } from "./store/one-time.js";
import { Sweeper } from "./store/sweeper.js";
import { EndpointsView } from "./views/endpoints.view.js";
import { SessionsView } from "./views/sessions.view.js";
import { ViewsConsumer } from "./views/views.consumer.js";

const CONFIGURATION = Symbol("configuration");
const sweepMs = 60_000;

/** The authorization server, the login behind it, and the pages in between. */
@Module({})
export class IdentityModule {
  static for(config: IdentityConfig): DynamicModule {
    return {
      module: IdentityModule,
      imports: [PostgresModule.forSchema("identity")],
      controllers: [
        HomeController,
        InteractionController,
        LoginController,
        BackChannelLogoutController,
        ViewsConsumer,
      ],
      providers: [
        EndpointsView,
        SessionsView,
        IdentityEvents,
        SessionRequests,
        PersonSessions,
        GrantTerms,
        Authorizations,
        LoginSteps,
        Sweeper,
        timed(Sweeper, { name: "identity.expired", everyMs: sweepMs }),
        {
          provide: CONFIGURATION,
          useFactory: async () => {
            const configuration = await readConfiguration(config);
            requireReadable(configuration, config.COUNTERSIGN_CONFIG);
            return configuration;
          },
        },
        { provide: Seals, useFactory: () => new Seals(readSecretFile(config.COOKIE_SECRET_FILE)) },
        {
          provide: Logins,
          inject: [DataSource, Seals, CONFIGURATION],
          useFactory: (dataSource: DataSource, seals: Seals, { identityProviders }: Configuration) =>
            new Logins(dataSource, seals, (provider) => identityProviders.some(({ id }) => id === provider)),
        },
        {
          provide: ClientConsents,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) =>
            new ClientConsents(new OidcStore(dataSource, "Consent"), isSecure(config)),
        },
        {
          provide: AskedSessions,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) =>
            new AskedSessions(new OidcStore(dataSource, "AskedSession")),
        },
        logoutBy(BackChannelLogout, "LogoutToken"),
        logoutBy(SamlLogout, "SamlLogout"),
        {
          provide: IdentityProviders,
          inject: [CONFIGURATION, Seals, Clock, DataSource],
          useFactory: (
            { identityProviders }: Configuration,
            seals: Seals,
            clock: Clock,
            dataSource: DataSource,
          ) =>
            new IdentityProviders(
              identityProviders,
              config.ISSUER_URL,
              new LoginStates(seals, isSecure(config), () => clock.now()),
              {
                requests: new OneTime(dataSource, "SamlRequest"),
                assertions: new OneTime(dataSource, "SamlAssertion"),
                answers: new OneTime(dataSource, "SamlAnswer"),
              },
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
            PersonSessions,
            IdentityProviders,
            Clock,
            LOG,
          ],
          useFactory: (...parts: Parts) => assemble(config, parts),
        },
      ],
    };
  }
}

/** What takes a provider's word that somebody logged out there; each such word counts once, under a name of its kind. */
const logoutBy = <T>(
  type: new (
    identityProviders: IdentityProviders,
    logins: Logins,
    used: OneTime,
    persons: PersonSessions,
  ) => T,
  used: string,
): FactoryProvider<T> => ({
  provide: type,
  inject: [IdentityProviders, Logins, DataSource, PersonSessions],
  useFactory: (
    identityProviders: IdentityProviders,
    logins: Logins,
    dataSource: DataSource,
    persons: PersonSessions,
  ) => new type(identityProviders, logins, new OneTime(dataSource, used), persons),
});

type Parts = [
  Configuration,
  Seals,
  DataSource,
  EndpointsView,
  SessionsView,
  Logins,
  IdentityEvents,
  SessionRequests,
  PersonSessions,
  IdentityProviders,
  Clock,
  Logger,
];

async function assemble(config: IdentityConfig, parts: Parts): Promise<Provider> {
  const [
    configuration,
    seals,
    dataSource,
    endpoints,
    sessions,
    logins,
    events,
    requests,
    persons,
    identityProviders,
    clock,
    log,
  ] = parts;
  const keys = await loadSigningKeys(config.IDENTITY_KEYS_FILE);
  const { identityProviders: configured, workloadIssuers: issuers, clients } = configuration;
  const provider = createProvider({
    config,
    keys,
    clients,
    seals,
    dataSource,
    endpoints,
    sessions,
    logins,
    events,
    requests,
    persons,
    recheck: (accountId, loginAt) => recheck({ identityProviders, configured, logins }, accountId, loginAt),
    clock,
    log,
  });
  const machines = {
    audienceOf: (resource: string) => audienceOf(resource, config.GATEWAY_URL, endpoints.all()),
    events,
    requests,
    clock,
  };
  registerTokenExchange(provider, { ...machines, issuers });
  registerJwtBearer(provider, {
    ...machines,
    issuers,
    identityProviders: configured,
    ownIssuer: config.ISSUER_URL,
    used: new OneTime(dataSource, "Assertion"),
  });
  registerClientCredentials(provider, { ...machines, clients });
  return provider;
}

/** Whether browsers reach this service over TLS, so that cookies can insist on it. */
const isSecure = ({ ISSUER_URL: issuer }: IdentityConfig): boolean => issuer.startsWith("https:");
