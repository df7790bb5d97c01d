import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { INestApplication } from "@nestjs/common";
import {
  type Endpoint,
  type EventMessage,
  requestSession,
  type RequestSession,
  type RevokeSession,
  topics,
} from "@countersign/contracts";
import { startDevIdp } from "@countersign/dev-idp";
import {
  Clock,
  createKafka,
  createLogger,
  createService,
  decodeEvent,
  encodeEvent,
  EventLog,
  parseConfig,
} from "@countersign/service-kit";
import { freePorts } from "@countersign/service-kit/ports";
import { exportJWK, generateKeyPair } from "jose";
import { vi } from "vitest";
import { createDatabase } from "./database.fixture.js";
import { ledger, payments } from "./endpoints.fixture.js";
import { identityConfig } from "../config.js";
import { identityService } from "../service.js";
import { EndpointsView } from "../views/endpoints.view.js";
import { SessionsView } from "../views/sessions.view.js";

export const gatewayUrl = "http://127.0.0.1:18080";

/** For what is said on Kafka to arrive. */
const heardWithin = { timeout: 20_000, interval: 10 };

type Decision = { granted: { seconds: number } } | { denied: string } | { waits: { seconds: number } };
type Decide = (request: RequestSession) => Decision | "silence";

/** The identity service on real Kafka and PostgreSQL, the development identity provider, and a broker of the test's own. */
export interface Running {
  readonly issuer: string;
  readonly app: INestApplication;
  readonly idpIssuer: string;
  /** The first half of the ids of this run's people. */
  readonly providerId: string;
  /** What was asked of the broker. */
  readonly requests: readonly RequestSession[];
  readonly revocations: readonly RevokeSession[];
  /** What the broker answers from now on. */
  decide: Decide;
  /** Decides in the end about a session that waits. */
  settle(request: RequestSession, decision: Decision): Promise<void>;
  /** Gives a session more time. */
  extend(request: RequestSession, expiresAt: Date): Promise<void>;
  /** Ends a session as an administrator would. */
  revoke(request: RequestSession): Promise<void>;
  /** What the identity provider says of a person's groups from now on. */
  setGroups(login: string, groups: readonly string[]): void;
  /** Types on identity.events of this run so far. */
  facts(): Promise<readonly EventMessage[]>;
  dump(): Promise<string>;
  stop(): Promise<void>;
}

const workloadSecret = randomBytes(16).toString("hex");

export interface Given {
  readonly brokers: string;
  readonly adminUrl: string;
  /** Signs for workloads, for agents and for the provider `partner`; without it there are none. */
  readonly tokenIssuer?: string;
  /** The public keys of the machine `deploy-bot`. */
  readonly machineKeys?: object;
  /** The certificate (PEM) of the provider `saml`, which speaks SAML. */
  readonly samlCertificate?: string;
  /** The description of a client that is known beforehand. */
  readonly clientDocument?: object;
  /** Private signing keys, the first of which signs. */
  readonly signingKeys?: readonly object[];
  readonly env?: Record<string, string>;
  readonly endpoints?: readonly Endpoint[];
}

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
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: (["identity.events", "session.commands", "session.events", "policy.bundles"] as const).map(
      (topic) => ({ topic, numPartitions: topics[topic].partitions }),
    ),
  });
  await admin.disconnect();

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
  const database = await createDatabase(given.adminUrl);

  const config = parseConfig("identity", identityConfig, {
    PORT: String(port),
    KAFKA_BROKERS: given.brokers,
    GATEWAY_URL: gatewayUrl,
    ISSUER_URL: issuer,
    DATABASE_URL: database.url,
    COUNTERSIGN_CONFIG: await put(
      folder,
      "countersign.yaml",
      configuration(providerId, idpIssuer, await morePeople(folder, given)) + (await extras(folder, given)),
    ),
    IDENTITY_KEYS_FILE: await put(
      folder,
      "keys.json",
      given.signingKeys ? JSON.stringify({ keys: given.signingKeys }) : await signingKeys(),
    ),
    COOKIE_SECRET_FILE: await put(folder, "cookies", randomBytes(32).toString("hex")),
    REGISTRATIONS_PER_HOUR: "1000",
    REQUESTS_PER_MINUTE: "100000",
    ...given.env,
    ...(given.clientDocument
      ? { CLIENT_METADATA_FOLDER: await documentFolder(folder, given.clientDocument) }
      : {}),
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
  const say = async (type: string, sessionId: string, data: unknown): Promise<void> => {
    await producer.send({
      topic: "session.events",
      messages: [encodeEvent(eventOf(type, sessionId, data))],
    });
  };

  const requests: RequestSession[] = [];
  const revocations: RevokeSession[] = [];
  const facts: EventMessage[] = [];
  const running: Running = {
    issuer,
    app,
    idpIssuer,
    providerId,
    requests,
    revocations,
    decide: () => ({ granted: { seconds: 1_800 } }),
    settle: (request, decision) => decided(request, decision),
    async extend({ sessionId, principal, endpoint }, expiresAt) {
      await say("SessionExtended", sessionId, {
        sessionId,
        principalId: principal.id,
        endpoint,
        approvalId: sessionId,
        durationSeconds: 60,
        justification: "more",
        approvedBy: { id: "lead" },
        expiresAt: expiresAt.toISOString(),
        policies: [],
        bundleVersion: "1",
      });
      const ends = () => {
        const state = app.get(SessionsView).find(sessionId);
        return state?.status === "active" ? state.expiresAt.getTime() : 0;
      };
      await vi.waitUntil(() => ends() === expiresAt.getTime(), heardWithin);
    },
    async revoke({ sessionId, principal, endpoint }) {
      const sessions = app.get(SessionsView);
      await say("SessionRevoked", sessionId, {
        sessionId,
        principalId: principal.id,
        endpoint,
        by: { id: "admin" },
        reason: "enough",
      });
      await vi.waitUntil(() => sessions.find(sessionId)?.status !== "active", heardWithin);
    },
    setGroups: (login, groups) => idp.setGroups(login, groups),
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
  };

  const answer = async (request: RequestSession): Promise<void> => {
    requests.push(request);
    const decision = running.decide(request);
    if (decision !== "silence") await decided(request, decision);
  };
  const decided = async (request: RequestSession, decision: Decision): Promise<void> => {
    const { sessionId, principal, endpoint } = request;
    if ("waits" in decision)
      return say("SessionAwaitsApproval", sessionId, {
        ...request,
        approvalId: sessionId,
        requestDigest: "0".repeat(64),
        waitsUntil: new Date(Date.now() + decision.waits.seconds * 1_000).toISOString(),
        durationSeconds: 1_800,
        policies: [],
        bundleVersion: "1",
      });
    if ("denied" in decision)
      return say("SessionDenied", sessionId, {
        sessionId,
        principalId: principal.id,
        endpoint,
        reason: decision.denied,
        policies: [],
        bundleVersion: "1",
      });
    await say("SessionGranted", sessionId, {
      ...request,
      grantedAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + decision.granted.seconds * 1_000).toISOString(),
      idleSeconds: 900,
      policies: [],
      bundleVersion: "1",
    });
  };
  tapCommands(app.get(EventLog), {
    command: async (event) => {
      if (event.type === "RevokeSession") revocations.push(event.data as RevokeSession);
      else await answer(requestSession.data.parse(event.data));
    },
    fact: (event) => facts.push(event),
  });
  return running;
}

/**
 * Hands commands to the test's broker instead of to Kafka, where the specs of the real broker would answer them too.
 * Everything else goes to Kafka, and is seen here once it is durable.
 */
function tapCommands(
  eventLog: EventLog,
  tap: { command: (event: EventMessage) => Promise<void>; fact: (event: EventMessage) => void },
): void {
  const append = eventLog.append.bind(eventLog);
  eventLog.append = async (...entries) => {
    const [entry] = entries;
    if (entry?.topic !== "session.commands") {
      const positions = await append(...entries);
      for (const { event } of entries) tap.fact(event);
      return positions;
    }
    const { headers, value } = encodeEvent(entry.event);
    const { event } = decodeEvent(entry.topic, headers, Buffer.from(String(value)));
    if (!event) throw new Error("a command does not fit its contract");
    void tap.command(event);
    return [{ topic: entry.topic, partition: 0 }];
  };
}

const configuration = (providerId: string, idpIssuer: string, more: string): string => `
identityProviders:
  - id: ${providerId}
    title: Company account
    type: oidc
    issuer: ${idpIssuer}
    clientId: countersign
    clientSecret: { env: TEST_IDP_SECRET }
    scopes: [openid, profile, email, groups]
    emailDomains: [example.com]
${more}endpoints:
  - name: payments
    upstream: { url: http://127.0.0.1:1/mcp }
policies: ${fileURLToPath(new URL("../../../../policies", import.meta.url))}
workloadIssuers:
  - id: ci
    issuer: ${idpIssuer}
    audience: urn:countersign
`;

const partner = (issuer: string): string => `  - id: partner
    title: Partner account
    type: oidc
    issuer: ${issuer}
    clientId: countersign
    clientSecret: { env: TEST_IDP_SECRET }
    assertionGrant: true
`;

async function documentFolder(folder: string, document: object): Promise<string> {
  const path = join(folder, "clients");
  await mkdir(path);
  await put(path, "client.json", JSON.stringify(document));
  return path;
}

/** Providers that only some specs need. */
async function morePeople(folder: string, { tokenIssuer, samlCertificate }: Given): Promise<string> {
  const saml = samlCertificate
    ? `  - id: saml
    title: SAML account
    type: saml
    entityId: https://idp.example.com/saml
    ssoUrl: https://idp.example.com/sso
    certificateFiles: [${await put(folder, "saml.pem", samlCertificate)}]
    emailDomains: [saml.example.com]
`
    : "";
  return (tokenIssuer === undefined ? "" : partner(tokenIssuer)) + saml;
}

/** What only some specs need: another identity provider, the workloads of an issuer, a machine with a key. */
async function extras(folder: string, { tokenIssuer, machineKeys }: Given): Promise<string> {
  const clients = machineKeys
    ? `clients:
  - id: deploy-bot
    title: Deploy bot
    jwksFile: ${await put(folder, "deploy-bot.json", JSON.stringify(machineKeys))}
    groups: [payments-ci]
`
    : "";
  return tokenIssuer === undefined
    ? clients
    : `  - id: pipelines
    issuer: ${tokenIssuer}
    audience: urn:countersign
    workloads:
      - name: deploy
        claims: { repository: acme/payments, ref: refs/heads/* }
        groups: [payments-ci]
${clients}`;
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

async function signingKeys(): Promise<string> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return JSON.stringify({ keys: [await exportJWK(privateKey)] });
}

async function put(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

const eventOf = (type: string, subject: string, data: unknown): EventMessage => ({
  id: new Clock().newId(),
  type,
  source: "session-broker",
  subject,
  time: new Date().toISOString(),
  data,
});

const isBuffer = (value: unknown): value is { data: number[] } =>
  typeof value === "object" && value !== null && "type" in value && value.type === "Buffer";
