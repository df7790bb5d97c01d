import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { INestApplication } from "@nestjs/common";
import { BUILT_IN_POLICY } from "@countersign/card-data";
import {
  type CardDataPolicy,
  type Endpoint,
  endpointCardDataPolicy,
  type EventMessage,
  type RequestApproval,
  type SessionGranted,
} from "@countersign/contracts";
import {
  Clock,
  createKafka,
  createLogger,
  createService,
  decodeEvent,
  type Entry,
  EventLog,
  Metrics,
  parseConfig,
} from "@countersign/service-kit";
import { freePort } from "@countersign/service-kit/ports";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { proxyService } from "../service.js";
import { FakeUpstream } from "./fake-upstream.fixture.js";
import { listen } from "./listen.fixture.js";
import { until } from "./until.fixture.js";

export { FakeUpstream, until };

/** A proxy with a real Kafka, an issuer and an upstream of its own; what other services publish, the test does. */
export class GatewayFixture {
  readonly upstream = new FakeUpstream();
  readonly endpointName = `payments-${randomUUID().slice(0, 8)}`;
  readonly #kafka: ReturnType<typeof createKafka>;
  readonly #logs = new Map<string, EventLog>();
  readonly traffic: EventMessage[] = [];
  readonly originals: EventMessage[] = [];
  readonly commands: EventMessage[] = [];
  readonly tools: EventMessage[] = [];
  readonly logLines: string[] = [];
  readonly #endpoints: Endpoint[] = [];
  #issuer!: Server;
  #issuerUrl = "";
  #sign!: (claims: Record<string, unknown>, audience: string, expiresIn: string) => Promise<string>;
  #consumer!: ReturnType<ReturnType<typeof createKafka>["consumer"]>;
  #app!: INestApplication;
  url = "";

  constructor(
    private readonly brokers: string,
    private readonly options: {
      readonly allowedOrigins?: readonly string[];
      /** More of the proxy's environment. */
      readonly environment?: Readonly<Record<string, string>>;
      /** What differs from the built-in card-data policy. */
      readonly cardData?: Partial<CardDataPolicy>;
    } = {},
  ) {
    this.#kafka = createKafka("test", brokers.split(","), createLogger("test", "silent"));
  }

  get endpointUrl(): string {
    return `${this.url}/mcp/${this.endpointName}`;
  }

  async start(): Promise<this> {
    await this.upstream.start();
    await this.#startIssuer();
    await this.#follow();
    this.#endpoints.push(this.#endpoint(this.endpointName, this.upstream.url));
    await this.publishPolicies();
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    const folder = mkdtempSync(join(tmpdir(), "countersign-proxy-"));
    writeFileSync(join(folder, "key"), Buffer.alloc(32, 7).toString("base64"));
    const config = parseConfig("proxy", proxyService.config, {
      PORT: String(port),
      KAFKA_BROKERS: this.brokers,
      GATEWAY_URL: this.url,
      ISSUER_URL: this.#issuerUrl,
      PROXY_ID: `proxy-${randomUUID().slice(0, 8)}`,
      FINGERPRINT_KEY_FILE: join(folder, "key"),
      ALLOWED_ORIGINS: (this.options.allowedOrigins ?? []).join(","),
      ...this.options.environment,
    });
    const log = createLogger("proxy", "debug", { write: (line) => void this.logLines.push(line) });
    this.#app = await createService(proxyService, config, log);
    await this.#app.listen(port, "127.0.0.1");
    await this.#app.startAllMicroservices();
    await until(async () => (await fetch(`${this.url}/readyz`)).status === 200, "the proxy is ready");
    await this.#answers(this.endpointName, 401);
    return this;
  }

  async stop(): Promise<void> {
    await this.#app.close();
    await this.#consumer.disconnect();
    for (const log of this.#logs.values()) await log.close();
    this.upstream.stop();
    this.#issuer.close();
  }

  /** Publishes one more endpoint, on which policy permits everything, and answers its name. */
  async addEndpoint(
    upstream: string | Endpoint["upstream"],
    name = `open-${randomUUID().slice(0, 8)}`,
  ): Promise<string> {
    this.#endpoints.push(this.#endpoint(name, upstream));
    await this.#publishBundle();
    await this.#answers(name, 401);
    return name;
  }

  /** The endpoints and the policies of this fixture, as the broker and masking would publish them. */
  async publishPolicies(): Promise<void> {
    const publishedAt = new Date().toISOString();
    const { publicKey } = await generateKeyPair("ECDH-ES+A256KW", { crv: "P-256", extractable: true });
    const jwk = await exportJWK(publicKey);
    await this.#publishBundle();
    await this.publish({
      topic: "masking.policies",
      event: this.#event("VaultKeyPublished", "masking", "vault-key", {
        keyId: "v1",
        publicKey: jwk,
        publishedAt,
      }),
    } as Entry);
  }

  /** Grants a session and answers its token. */
  async session(changes: Partial<SessionGranted> = {}): Promise<{ token: string; sessionId: string }> {
    const sessionId = ids.newId();
    const session: SessionGranted = {
      sessionId,
      principal: { id: "company:engineer", kind: "human", name: "Engineer", groups: ["engineers"] },
      authentication: { provider: "company" },
      client: { id: "client-1", name: "Test client" },
      endpoint: this.endpointName,
      justification: "TEST-1 looks into a payment",
      grantedAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      idleSeconds: 900,
      policies: ["test"],
      bundleVersion: "1",
      ...changes,
    };
    await this.publishSessionEvent("SessionGranted", sessionId, session);
    const claims = { sub: session.principal.id, sid: sessionId, client_id: session.client.id };
    return { sessionId, token: await this.token(claims, `${this.url}/mcp/${session.endpoint}`, "1h") };
  }

  publishSessionEvent(type: string, sessionId: string, data: unknown): Promise<void> {
    return this.publish({
      topic: "session.events",
      event: this.#event(type, "session-broker", sessionId, data),
    } as Entry);
  }

  publishToolAcceptance(about: { tool: string; digest: string }): Promise<void> {
    const data = { endpoint: this.endpointName, ...about, by: { id: "company:admin" } };
    const subject = `${data.endpoint}/${data.tool}`;
    const event = this.#event("ToolChangeAccepted", "session-broker", subject, data);
    return this.publish({ topic: "policy.tools", event } as Entry);
  }

  /** Decides a request for approval, as a lead would by way of the approval service. */
  decide(asked: RequestApproval, type: string, more: object = {}): Promise<void> {
    const { approvalId, callId, sessionId, endpoint, tool, requestDigest, requester } = asked;
    const about = { approvalId, callId, sessionId, endpoint, tool, requestDigest, requesterId: requester.id };
    const by = { id: "company:lead", kind: "human", name: "Lead", groups: [] };
    return this.publish({
      topic: "approval.events",
      event: this.#event(type, "approval", approvalId, { ...about, by, ...more }),
    } as Entry);
  }

  token(claims: Record<string, unknown>, audience = this.endpointUrl, expiresIn = "5m"): Promise<string> {
    return this.#sign(claims, audience, expiresIn);
  }

  post(
    token: string | undefined,
    message: unknown,
    headers: Record<string, string> = {},
    endpoint = this.endpointName,
  ): Promise<Response> {
    return fetch(`${this.url}/mcp/${endpoint}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: typeof message === "string" ? message : JSON.stringify(message),
    });
  }

  async publish(...entries: Entry[]): Promise<void> {
    for (const entry of entries) {
      const service = entry.event.source;
      let log = this.#logs.get(service);
      if (!log) {
        const metrics = new Metrics(service);
        log = new EventLog({ kafka: this.#kafka, service, log: createLogger(service, "silent"), metrics });
        this.#logs.set(service, log);
      }
      await log.append(entry);
    }
  }

  /** The records of a session, in the log's order, once `enough` says so. */
  async recordsOf(sessionId: string, enough: (types: string[]) => boolean): Promise<EventMessage[]> {
    const records = (): EventMessage[] => this.traffic.filter(({ subject }) => subject === sessionId);
    await until(() => enough(records().map(({ type }) => type)), "the records are on the log");
    return records();
  }

  /** The same, before masking has published what holds for card data there. */
  async addEndpointTooEarly(upstream: string): Promise<string> {
    const name = `early-${randomUUID().slice(0, 8)}`;
    this.#endpoints.push(this.#endpoint(name, upstream));
    await this.#publishBundle((endpoint) => endpoint !== name);
    await this.#answers(name, 503);
    return name;
  }

  /** A caller without a token is told so as soon as all is there that calls need. */
  #answers(endpoint: string, status: number): Promise<void> {
    const asked = async (): Promise<number> =>
      (await fetch(`${this.url}/mcp/${endpoint}`, { method: "POST", body: "{}" })).status;
    return until(async () => (await asked()) === status, `the endpoint answers ${status}`);
  }

  #publishBundle(isNamed: (endpoint: string) => boolean = () => true): Promise<void> {
    const named = this.#endpoints
      .filter(({ name }) => isNamed(name))
      .map(({ name }) => [name, endpointCardDataPolicy.parse({})]);
    const { endpoints = {}, ...cardData } = this.options.cardData ?? {};
    const policy = {
      ...BUILT_IN_POLICY,
      version: "1",
      ...cardData,
      endpoints: { ...Object.fromEntries(named), ...endpoints },
    };
    return this.publish(
      {
        topic: "masking.policies",
        event: this.#event("CardDataPolicyPublished", "masking", "policy", {
          policy,
          publishedAt: new Date().toISOString(),
        }),
      } as Entry,
      {
        topic: "policy.bundles",
        event: this.#event("PolicyBundlePublished", "session-broker", "bundle", {
          version: randomUUID(),
          publishedAt: new Date().toISOString(),
          endpoints: this.#endpoints,
          policies: [{ file: "test.cedar", text: policies(this.endpointName) }],
          schema: cedarSchema,
        }),
      } as Entry,
    );
  }

  #event(type: string, source: string, subject: string, data: unknown): EventMessage {
    return { id: ids.newId(), type, source, subject, time: new Date().toISOString(), data } as EventMessage;
  }

  #endpoint(name: string, upstream: string | Endpoint["upstream"]): Endpoint {
    process.env["TEST_UPSTREAM_TOKEN"] = upstreamSecret;
    return {
      name,
      title: "Payments",
      upstream:
        typeof upstream !== "string"
          ? upstream
          : {
              url: upstream,
              credential: { type: "bearer", token: { env: "TEST_UPSTREAM_TOKEN" } },
              timeoutSeconds: 10,
              forwardHeaders: ["x-trace"],
            },
      session: { durationSecondsMax: 3600, durationSecondsDefault: 1800, idleSeconds: 900 },
      approval: { expirySeconds: 60 },
      messageBytesMax: 1024 * 1024,
    };
  }

  async #startIssuer(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const jwks = JSON.stringify({
      keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" }],
    });
    this.#issuer = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(jwks);
    });
    this.#issuerUrl = `http://127.0.0.1:${await listen(this.#issuer)}`;
    this.#sign = (claims, audience, expiresIn) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "ES256", kid: "k1", typ: "at+jwt" })
        .setIssuer(this.#issuerUrl)
        .setAudience(audience)
        .setIssuedAt()
        .setJti(randomUUID())
        .setExpirationTime(expiresIn)
        .sign(privateKey);
  }

  async #follow(): Promise<void> {
    this.#consumer = this.#kafka.consumer({ groupId: `test-${randomUUID()}`, maxWaitTimeInMs: 50 });
    await this.#consumer.connect();
    const lists = {
      "mcp.traffic": this.traffic,
      "mcp.originals": this.originals,
      "mcp.tools": this.tools,
      "approval.commands": this.commands,
    };
    await this.#consumer.subscribe({ topics: Object.keys(lists), fromBeginning: true });
    await this.#consumer.run({
      eachMessage: ({ topic, message }) => {
        const name = topic as keyof typeof lists;
        const { event, problem } = decodeEvent(name, message.headers, message.value);
        if (problem) throw new Error(`${topic}: ${problem.reason} ${problem.detail}`);
        if (event) lists[name].push(event);
        return Promise.resolve();
      },
    });
  }
}

const ids = new Clock();

export const upstreamSecret = "upstream-secret-canary-5f2a";

const policies = (endpoint: string): string => `
  @id("engineers call") permit(principal in Group::"engineers", action == Action::"call", resource in Endpoint::"${endpoint}");
  @id("no deletes") forbid(principal, action == Action::"call", resource == Tool::"${endpoint}/delete_customer");
  @id("unattended") permit(principal, action == Action::"callUnattended", resource in Endpoint::"${endpoint}")
    unless { resource == Tool::"${endpoint}/refund" };
  @id("open endpoints") permit(principal, action in [Action::"call", Action::"callUnattended"], resource)
    unless { resource in Endpoint::"${endpoint}" };
`;
const cedarSchema = readFileSync(new URL("../../../../policies/schema.cedarschema", import.meta.url), "utf8");
