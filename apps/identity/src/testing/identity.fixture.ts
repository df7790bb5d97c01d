import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { INestApplication } from "@nestjs/common";
import type { Endpoint, EventMessage } from "@countersign/contracts";
import { startDevIdp } from "@countersign/dev-idp";
import { createKafka, createLogger, createService, encodeEvent, parseConfig } from "@countersign/service-kit";
import { freePorts } from "@countersign/service-kit/ports";
import { createDatabase } from "@countersign/service-kit/testing";
import { TestBroker } from "./broker.fixture.js";
import { type Configured, environmentIn } from "./configuration.fixture.js";
import { ledger, payments } from "./endpoints.fixture.js";
import { identityConfig } from "../config.js";
import { identitySchema } from "../schema.js";
import { identityService } from "../service.js";
import { EndpointsView } from "../views/endpoints.view.js";

export const gatewayUrl = "http://127.0.0.1:18080";

/** The identity service on real Kafka and PostgreSQL, the development identity provider, and a broker of the test's own. */
export interface Running extends TestBroker {
  readonly issuer: string;
  readonly app: INestApplication;
  readonly idpIssuer: string;
  /** The first half of the ids of this run's people. */
  readonly providerId: string;
  /** What the identity provider says of a person's groups from now on. */
  setGroups(login: string, groups: readonly string[]): void;
  /** Types on identity.events of this run so far. */
  facts(): Promise<readonly EventMessage[]>;
  dump(): Promise<string>;
  stop(): Promise<void>;
}

export interface Given extends Configured {
  readonly brokers: string;
  readonly adminUrl: string;
  readonly endpoints?: readonly Endpoint[];
}

const workloadSecret = randomBytes(16).toString("hex");

export async function startIdentity(given: Given): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-identity-"));
  const log = createLogger("identity", "silent");
  const [port = 0, idpPort = 0] = await freePorts(2);
  const issuer = `http://127.0.0.1:${port}`;
  const idpIssuer = `http://127.0.0.1:${idpPort}`;
  // Evidence of other specs is on the same topics; principals of this run carry its name.
  const providerId = `idp-${randomUUID().slice(0, 8)}`;
  process.env["TEST_IDP_SECRET"] = "idp-secret";

  const kafka = createKafka("identity-spec", given.brokers.split(","), log);
  const idp = await startDevIdp({
    port: idpPort,
    issuer: idpIssuer,
    client: {
      id: "countersign",
      secret: "idp-secret",
      redirectUri: `${issuer}/login/${providerId}/callback`,
    },
    workloadSecret,
  });
  const database = await createDatabase(given.adminUrl, identitySchema);

  const config = parseConfig("identity", identityConfig, {
    PORT: String(port),
    KAFKA_BROKERS: given.brokers,
    GATEWAY_URL: gatewayUrl,
    ISSUER_URL: issuer,
    DATABASE_URL: database.url,
    ...(await environmentIn(folder, { providerId, idpIssuer }, given)),
  });
  const app = await createService(identityService, config, log);
  await app.listen(config.PORT, config.HOST);
  await app.startAllMicroservices();

  // Specs of other services publish bundles of their own on the same topic; they are none of this run's business.
  const endpoints = app.get(EndpointsView);
  endpoints.apply({
    version: "1",
    publishedAt: "",
    endpoints: [...(given.endpoints ?? [payments, ledger])],
    policies: [],
    schema: "",
  });
  endpoints.apply = () => undefined;

  const producer = kafka.producer();
  await producer.connect();
  const facts: EventMessage[] = [];
  const broker = new TestBroker(
    app,
    async (event) => {
      await producer.send({ topic: "session.events", messages: [encodeEvent(event)] });
    },
    (event) => facts.push(event),
  );
  return Object.assign(broker, {
    issuer,
    app,
    idpIssuer,
    providerId,
    setGroups: (login: string, groups: readonly string[]) => idp.setGroups(login, groups),
    facts: async () => facts,
    dump: async () => {
      const rows = await database.query("SELECT * FROM identity.oidc_models");
      return JSON.stringify(rows, (_, value: unknown) =>
        isBuffer(value) ? Buffer.from(value.data).toString("latin1") : value,
      );
    },
    async stop() {
      await app.close();
      await producer.disconnect();
      await idp.stop();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  });
}

/** A token of the made-up pipeline, from its own issuer. */
export async function workloadToken(idpIssuer: string): Promise<string> {
  const response = await fetch(`${idpIssuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: "ci-payments",
      client_secret: workloadSecret,
      resource: "urn:countersign",
    }),
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}

const isBuffer = (value: unknown): value is { data: number[] } =>
  typeof value === "object" && value !== null && "type" in value && value.type === "Buffer";
