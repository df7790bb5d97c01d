import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { INestApplication } from "@nestjs/common";
import {
  apiAudience,
  type CardDataPolicy,
  type EventMessage,
  type Principal,
  topicNames,
  type TopicName,
  topics,
} from "@countersign/contracts";
import {
  Clock,
  createKafka,
  createLogger,
  createService,
  decodeEvent,
  encodeEvent,
  EventLog,
  parseConfig,
  prepareSchema,
} from "@countersign/service-kit";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { maskingConfig } from "./config.js";
import { sealText, sha256Of, wrapKey } from "./domain/seal.fixture.js";
import { maskingSchema } from "./index.js";
import { CardDataPolicyInForce } from "./policy/card-data-policy.js";
import { PolicyPublisher } from "./policy/policy.publisher.js";
import { PolicyView } from "./policy/policy.view.js";
import { maskingService } from "./service.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const log = createLogger("masking", "silent");
const ids = new Clock();
const kafka = createKafka("spec", inject("kafkaBrokers").split(","), log);
const producer = kafka.producer();
const consumer = kafka.consumer({ groupId: `spec-${randomUUID()}` });
const issuerKeys = await generateKeyPair("ES256");
const vaultPair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const vaultKeyId = randomUUID();
const bundleVersion = randomUUID();
const database = `masking_${randomUUID().replaceAll("-", "")}`;

const auditor: Principal = { id: "company:iris", kind: "human", groups: ["auditors"] };
const engineer: Principal = {
  id: `company:ada-${vaultKeyId}`,
  kind: "human",
  groups: ["payments-engineers"],
};
const administrator: Principal = { id: "company:root", kind: "human", groups: ["administrators"] };

const seen: EventMessage[] = [];
let issuer: Server;
let issuerUrl = "";
let folder = "";
let databaseUrl = "";
let ownDatabase = "";
let app: INestApplication;
let url = "";

beforeAll(async () => {
  await ensureTopics();
  await sql(inject("adminDatabaseUrl"), `CREATE DATABASE ${database}`);
  const own = new URL(inject("adminDatabaseUrl"));
  own.pathname = database;
  ownDatabase = own.toString();
  databaseUrl = await prepareSchema({ adminUrl: ownDatabase, schema: maskingSchema, password: "test" });
  const jwk = { ...(await exportJWK(issuerKeys.publicKey)), kid: "1", alg: "ES256" };
  issuer = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  issuerUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;

  folder = await mkdtemp(join(tmpdir(), "countersign-masking-"));
  await cp(join(root, "policies"), join(folder, "policies"), { recursive: true });
  const yaml = await readFile(join(root, "countersign.yaml"), "utf8");
  await writeFile(
    join(folder, "countersign.yaml"),
    yaml.replace(/contextWords: \[\]/, `contextWords: ["word-${vaultKeyId}"]`),
  );
  const key = { ...vaultPair.privateKey.export({ format: "jwk" }), kid: vaultKeyId };
  await writeFile(join(folder, "vault-keys.json"), JSON.stringify({ keys: [key] }));

  await producer.connect();
  await consumer.connect();
  const followed: TopicName[] = ["masking.policies", "masking.events", "quarantine.events"];
  await consumer.subscribe({ topics: followed, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ topic, message }) => {
      const { event } = decodeEvent(topic as TopicName, message.headers, message.value);
      if (event) seen.push(event);
      return Promise.resolve();
    },
  });
  await start();
  await send("policy.bundles", await bundleEvent());
  await policyKnown();
});

afterAll(async () => {
  await app?.close();
  await Promise.allSettled([producer.disconnect(), consumer.disconnect()]);
  issuer?.close();
  await sql(inject("adminDatabaseUrl"), `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  if (folder) await rm(folder, { recursive: true });
});

describe("the masking service", () => {
  it("publishes its policy and the public half of its vault key, and at a restart nothing again", async () => {
    await expect.poll(() => [ownPolicies().length, ownKeys().length]).toEqual([1, 1]);
    expect(ownPolicies()[0]?.subject).toBe("policy");
    expect(ownKeys()[0]).toMatchObject({ subject: "vault-key", data: { publicKey: { kty: "EC" } } });
    expect(JSON.stringify(ownKeys())).not.toContain('"d"');
    await app.close();
    await start();
    await policyKnown();
    await expect
      .poll(async () => (await fetch(`${url}/readyz`)).json())
      .toMatchObject({
        checks: { policies: "ok" },
      });
    expect([ownPolicies().length, ownKeys().length]).toEqual([1, 1]);
  });

  it("stores what the proxy sealed once, and says so", async () => {
    const { original, events } = await sealed("{}");
    await send("mcp.originals", ...events, ...events);
    await stored(original.originalId);
    await send("mcp.originals", ...events.map((event) => ({ ...event, id: ids.newId() })));
    const last = await sealed("{}");
    await send("mcp.originals", ...last.events);
    await stored(last.original.originalId);
    expect(about("OriginalStored", original.originalId)).toHaveLength(1);
    expect(about("OriginalStored", original.originalId)[0]?.data).toEqual({
      originalId: original.originalId,
      sessionId: original.sessionId,
      callId: original.callId,
      sha256: original.sha256,
    });
  });

  it.each([
    ["is not what its digest says", { sha256: "0".repeat(64) }],
    ["is no sealed form", { sealed: "4111111111111111", sha256: sha256Of("4111111111111111") }],
  ])("does not take in an original that %s", async (_, changes) => {
    const { original, events } = await sealed("{}");
    const [key, event] = events;
    if (!key || !event) throw new Error("two events");
    await send("mcp.originals", key, { ...event, data: { ...original, ...changes } });
    const good = await sealed("{}");
    await send("mcp.originals", ...good.events);
    await stored(good.original.originalId);
    expect((await reveal(auditor, original.originalId)).status).toBe(404);
    await expect
      .poll(
        () =>
          seen.filter(({ type, subject }) => type === "MessageQuarantined" && subject === "mcp.originals")
            .length,
      )
      .toBeGreaterThan(0);
  });

  it("shows an original to an auditor who says why, once that is on the log", async () => {
    const text = '{"card":"4111111111111111"}';
    const hidden = Buffer.from("card 5555555555554444").toString("base64");
    const { original, events } = await sealed(text);
    await send("mcp.originals", ...events);
    await stored(original.originalId);
    const response = await reveal(auditor, original.originalId, `dispute about ${hidden}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toMatchObject({
      originalId: original.originalId,
      text,
      endpoint: "payments",
    });
    await expect.poll(() => about("OriginalRevealed", original.originalId)).toHaveLength(1);
    const [revealed] = about("OriginalRevealed", original.originalId);
    expect(revealed?.data).toMatchObject({ by: auditor, sessionId: original.sessionId });
    expect(JSON.stringify(revealed)).toContain("dispute about");
    expect(JSON.stringify(revealed)).not.toContain(hidden);
  });

  it("shows nothing when the reveal cannot be recorded", async () => {
    const { original, events } = await sealed("the original");
    await send("mcp.originals", ...events);
    await stored(original.originalId);
    const append = vi.spyOn(app.get(EventLog), "append").mockRejectedValueOnce(new Error("down"));
    const response = await reveal(auditor, original.originalId);
    append.mockRestore();
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain("the original");
  });

  it("refuses whom no policy lets reveal, and records that", async () => {
    const { original, events } = await sealed("the original");
    await send("mcp.originals", ...events);
    await stored(original.originalId);
    const response = await reveal(engineer, original.originalId);
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain("the original");
    await expect
      .poll(() => about("RevealRefused", original.originalId))
      .toMatchObject([{ data: { by: engineer, reason: "forbidden_by_policy" } }]);
  });

  it("refuses whoever gives no reason, has no token, or asks for what is not there", async () => {
    const unknown = ids.newId();
    expect((await reveal(auditor, unknown, "short")).status).toBe(400);
    expect((await reveal(auditor, unknown, "about 5555 5555 5555 4444")).status).toBe(400);
    expect((await fetch(`${url}/originals/${unknown}/reveal`, { method: "POST" })).status).toBe(401);
    expect((await reveal(auditor, unknown)).status).toBe(404);
    await expect
      .poll(() => about("RevealRefused", unknown))
      .toMatchObject([{ data: { reason: "original_unknown" } }]);
  });

  it("does not show an original that was sealed for another record, and records that", async () => {
    const { original, events } = await sealed("the original", { rid: ids.newId() });
    await send("mcp.originals", ...events);
    await stored(original.originalId);
    const response = await reveal(auditor, original.originalId);
    expect(response.status).toBe(410);
    await expect
      .poll(() => about("RevealRefused", original.originalId))
      .toMatchObject([{ data: { reason: "original_unreadable" } }]);
    expect(about("OriginalRevealed", original.originalId)).toEqual([]);
  });

  it("lets an administrator try the policy, and nobody else", async () => {
    const body = { text: '{"card":"4111111111111111"}', contentType: "application/json" };
    expect((await post(auditor, "/trial", body)).status).toBe(403);
    const response = await post(administrator, "/trial", body);
    expect(response.status).toBe(200);
    const { findings, masked } = (await response.json()) as { findings: unknown[]; masked: string };
    expect(findings).toMatchObject([{ kind: "pan", path: "/card" }]);
    expect(masked).not.toContain("4111111111111111");
    expect((await post(administrator, "/trial", { ...body, text: "not JSON" })).status).toBe(400);
  });

  it.each(["session_keys", "originals"])("keeps masking.%s from everyone's changes", async (table) => {
    for (const statement of [
      `UPDATE masking.${table} SET key_id = key_id`,
      `DELETE FROM masking.${table}`,
      `TRUNCATE masking.${table}`,
    ]) {
      await expect(sql(ownDatabase, statement)).rejects.toThrow(/takes no/);
      await expect(sql(databaseUrl, statement)).rejects.toThrow(/permission denied/);
    }
  });
});

async function start(): Promise<void> {
  const config = parseConfig("masking", maskingConfig, {
    KAFKA_BROKERS: inject("kafkaBrokers"),
    DATABASE_URL: databaseUrl,
    GATEWAY_URL: "http://127.0.0.1:8080",
    ISSUER_URL: issuerUrl,
    COUNTERSIGN_CONFIG: join(folder, "countersign.yaml"),
    VAULT_KEYS_FILE: join(folder, "vault-keys.json"),
  });
  vi.stubEnv("COMPANY_IDP_ISSUER", "http://127.0.0.1:8090");
  vi.stubEnv("COMPANY_IDP_CLIENT_ID", "countersign");
  app = await createService(maskingService, config, log);
  // Other specs publish policies and bundles to the same broker; this one goes by its own.
  const [policy, publisher] = [app.get(PolicyView), app.get(PolicyPublisher)];
  const [take, see] = [policy.take.bind(policy), publisher.seen.bind(publisher)];
  vi.spyOn(policy, "take").mockImplementation((bundle) => {
    if (bundle.version === bundleVersion) take(bundle);
  });
  const own = new Set<unknown>([vaultKeyId, app.get(CardDataPolicyInForce).policy.version]);
  vi.spyOn(publisher, "seen").mockImplementation((news) => {
    if (own.has(news.policyVersion ?? news.vaultKeyId)) see(news);
  });
  await app.listen(0, "127.0.0.1");
  await app.startAllMicroservices();
  url = await app.getUrl();
}

const policyKnown = (): Promise<void> =>
  vi.waitFor(() => expect(app.get(PolicyView).may("reveal", auditor)).toBe(true), { timeout: 20_000 });

/** An original and its key as the proxy would publish them. */
async function sealed(text: string, header: { rid?: string } = {}) {
  const [originalId, sessionId, callId, keyId] = [ids.newId(), ids.newId(), ids.newId(), ids.newId()];
  const key = randomBytes(32);
  const names = { kid: vaultKeyId, sid: sessionId, skid: keyId };
  const wrapped = await wrapKey(key, names, vaultPair.publicKey);
  const form = await sealText(text, key, { kid: keyId, rid: originalId, ...header });
  const original = {
    originalId,
    sessionId,
    callId,
    endpoint: "payments",
    direction: "server_to_client",
    keyId,
    sealed: form,
    sha256: sha256Of(form),
  };
  const events = [
    eventOf("SessionKeyWrapped", sessionId, { keyId, sessionId, vaultKeyId, wrapped }),
    eventOf("OriginalSealed", sessionId, original),
  ];
  return { original, events };
}

const eventOf = (
  type: string,
  subject: string,
  data: unknown,
  source: EventMessage["source"] = "proxy",
): EventMessage => ({
  id: ids.newId(),
  type,
  source,
  subject,
  time: ids.now().toISOString(),
  data,
});

async function bundleEvent(): Promise<EventMessage> {
  const files = (await readdir(join(folder, "policies"))).filter((file) => file.endsWith(".cedar"));
  const policies = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(folder, "policies", file), "utf8") })),
  );
  const schema = await readFile(join(folder, "policies", "schema.cedarschema"), "utf8");
  const publishedAt = ids.now().toISOString();
  const data = { version: bundleVersion, publishedAt, endpoints: [], policies, schema };
  return eventOf("PolicyBundlePublished", "bundle", data, "session-broker");
}

const ownPolicies = (): EventMessage[] =>
  seen.filter(
    ({ type, data }) =>
      type === "CardDataPolicyPublished" &&
      (data as { policy: CardDataPolicy }).policy.contextWords.includes(`word-${vaultKeyId}`),
  );
const ownKeys = (): EventMessage[] =>
  seen.filter(
    ({ type, data }) => type === "VaultKeyPublished" && (data as { keyId: string }).keyId === vaultKeyId,
  );
const about = (type: string, originalId: string): EventMessage[] =>
  seen.filter(
    (event) => event.type === type && (event.data as { originalId: string }).originalId === originalId,
  );
const stored = (originalId: string): Promise<void> =>
  vi.waitFor(() => expect(about("OriginalStored", originalId)).toHaveLength(1), { timeout: 20_000 });

const reveal = (
  caller: Principal,
  originalId: string,
  justification = "quarterly review",
): Promise<Response> => post(caller, `/originals/${originalId}/reveal`, { justification });

async function post(caller: Principal, path: string, body: unknown): Promise<Response> {
  const { id: sub, ...claims } = caller;
  const token = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "1" })
    .setSubject(sub)
    .setIssuer(issuerUrl)
    .setAudience(apiAudience)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(issuerKeys.privateKey);
  return fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function send(topic: TopicName, ...events: EventMessage[]): Promise<void> {
  await producer.send({ topic, messages: events.map((event) => encodeEvent(event)) });
}

async function sql(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function ensureTopics(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    // Specs that run beside this one make the same topics; whoever is first, they are alike.
    for (const topic of topicNames) {
      const numPartitions = topics[topic].partitions;
      await admin
        .createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions }] })
        .catch(() => false);
    }
  } finally {
    await admin.disconnect();
  }
}
