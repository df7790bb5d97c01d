import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { INestApplication } from "@nestjs/common";
import type { EventMessage, Principal, RecordView, TopicName } from "@countersign/contracts";
import { verifyBundle } from "@countersign/evidence";
import { Clock, createKafka, encodeEvent } from "@countersign/service-kit";
import { TestIssuer } from "@countersign/service-kit/testing";
import type { Message, Producer } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { PolicyView } from "./access/policy.view.js";
import { createDatabase, type TestDatabase } from "./database.fixture.js";
import { checkpointKeyFile, log, startService } from "./service.fixture.js";

const ids = new Clock();
const issuer = new TestIssuer();
const keyFile = checkpointKeyFile();
const folder = mkdtempSync(join(tmpdir(), "countersign-cards-"));
const [formerKey, currentKey] = [randomBytes(32), randomBytes(32)];
const auditor: Principal = { id: "company:iris", kind: "human", groups: ["auditors"] };
const engineer: Principal = { id: "company:ada", kind: "human", groups: ["payments-engineers"] };
const card = "4929112233440562";

let database: TestDatabase;
let producer: Producer;
let app: INestApplication | undefined;
let url = "";

beforeAll(async () => {
  database = await createDatabase(inject("adminDatabaseUrl"));
  await issuer.start();
  producer = createKafka("spec", inject("kafkaBrokers").split(","), log).producer();
  await producer.connect();
  const fingerprintKeyFile = join(folder, "fingerprint-keys");
  writeFileSync(fingerprintKeyFile, `${currentKey.toString("base64")}\n${formerKey.toString("base64")}\n`);
  const started = await startService({
    brokers: inject("kafkaBrokers"),
    databaseUrl: database.url,
    issuerUrl: issuer.url,
    keyFile: keyFile.path,
    fingerprintKeyFile,
    // Other specs publish bundles to the same broker; this one goes by the policies of the repository.
    prepare: (prepared) => {
      const policy = prepared.get(PolicyView);
      policy.take(bundle());
      policy.take = () => undefined;
    },
  });
  ({ app, url } = started);
});

afterAll(async () => {
  await app?.close();
  await producer?.disconnect();
  issuer.stop();
  keyFile.remove();
  rmSync(folder, { recursive: true });
  await database?.drop();
});

describe("ciphertext", () => {
  it("is not in the log, and a bundle without it verifies", async () => {
    const session = ids.newId();
    const [sealed, wrapped] = [`sealed-${randomUUID()}`, `wrapped-${randomUUID()}`];
    const about = { originalId: ids.newId(), callId: ids.newId(), sessionId: session, endpoint: "payments" };
    const keyId = ids.newId();
    await send(
      "mcp.originals",
      eventOf("SessionKeyWrapped", session, { keyId, sessionId: session, vaultKeyId: "v", wrapped }),
      eventOf("OriginalSealed", session, {
        ...about,
        direction: "server_to_client",
        keyId,
        sealed,
        sha256: sha256Of(sealed),
      }),
    );
    const records = await timelineOf(session, 2);
    expect(records.map(({ data }) => data)).toMatchObject([
      { keyId, wrappedSha256: sha256Of(wrapped) },
      { ...about, sha256: sha256Of(sealed) },
    ]);
    const stored: { data: string }[] = await database.dataSource.query("SELECT data FROM audit.records");
    for (const text of [sealed, wrapped]) expect(JSON.stringify(stored)).not.toContain(text);
    const response = await fetch(`${url}/export?session=${session}`, { headers: headersOf(auditor) });
    const bundleText = await response.text();
    const { verifierKey } = (await (await fetch(`${url}/verifier-key`)).json()) as { verifierKey: string };
    expect(await verifyBundle(bundleText.split("\n").slice(0, -1), { verifierKey })).toMatchObject({
      ok: true,
      records: 2,
    });
  });
});

describe("card data that was missed", () => {
  it("is hidden from readers by the view that the second look made, and the record stays", async () => {
    const session = ids.newId();
    const call = callCompleted(session, `{"note":"${card}"}`);
    await send("mcp.traffic", call);
    await timelineOf(session, 1);
    const view = { ...payloadOf('{"note":"492911******0562"}'), findings: [findingOf(currentKey)] };
    const missed = { recordId: call.id, callId: ids.newId(), sessionId: session, part: "response" };
    await send(
      "masking.events",
      eventOf("CardDataMissed", session, { ...missed, policyVersion: "1", view }, "masking"),
    );
    const [shown, told] = await timelineOf(session, 2);
    expect(shown).toMatchObject({
      id: call.id,
      remasked: true,
      data: { response: { text: '{"note":"492911******0562"}', sha256: sha256Of(`{"note":"${card}"}`) } },
    });
    expect(told).not.toHaveProperty("remasked");
    const one = await request(auditor, "GET", `/records/${shown?.logIndex}`);
    const found = await request(auditor, "GET", `/records?session=${session}`);
    for (const { text } of [one, found]) {
      expect(text).toContain("492911******0562");
      expect(text).not.toContain(card);
    }
    const exported = await fetch(`${url}/export?session=${session}`, { headers: headersOf(auditor) });
    const lines = (await exported.text()).split("\n").slice(0, -1);
    expect(lines.join()).not.toContain(card);
    expect(await verifyBundle(lines)).toMatchObject({ ok: true, records: 2, withheld: 1 });
  });
});

describe("finding by card", () => {
  const ask = (caller: Principal, pan: string, more: object = {}) =>
    request(caller, "POST", "/find-by-card", { pan, justification: "dispute of ticket 7", ...more });
  const spaced = card.replace(/(.{4})(?=.)/g, "$1 ");

  it("is refused to whoever may not search, and for what is no card number, which is repeated nowhere", async () => {
    expect((await ask(engineer, card)).status).toBe(403);
    const wrong = "4929112233440563";
    const { status, text } = await ask(auditor, wrong);
    expect(status).toBe(400);
    expect(text).toContain("not_a_card_number");
    expect(text).not.toContain(wrong);
    expect((await ask(auditor, card, { justification: "short" })).status).toBe(400);
    expect((await ask(auditor, card, { justification: `about ${card}` })).text).not.toContain(card);
  });

  it("lists every access under the current and the former key, and records the question without the number", async () => {
    const sessions = [ids.newId(), ids.newId(), ids.newId()] as const;
    await send(
      "mcp.traffic",
      callCompleted(sessions[0], "{}", [findingOf(currentKey)]),
      callCompleted(sessions[1], "{}", [findingOf(formerKey)]),
      callCompleted(sessions[2], "{}", [findingOf(currentKey, "5555555555554444")]),
    );
    for (const session of sessions) await timelineOf(session, 1);
    const { status, text, json } = await ask(auditor, spaced);
    expect(status).toBe(200);
    const found = (json as { records: RecordView[] }).records.map(
      ({ data }) => (data as { sessionId: string }).sessionId,
    );
    expect(found).toEqual(expect.arrayContaining([sessions[0], sessions[1]]));
    expect(found).not.toContain(sessions[2]);
    expect(text).not.toContain(card);
    const first = (await ask(auditor, card, { limit: 1 })).json as { records: RecordView[]; next: number };
    expect(first.records).toHaveLength(1);
    const rest = (await ask(auditor, card, { after: first.next })).json as { records: RecordView[] };
    expect(rest.records).toHaveLength(found.length - 1);

    await expect
      .poll(async () => (await recorded("EvidenceRead", "find-by-card")).length, { timeout: 20_000 })
      .toBe(3);
    const read = await recorded("EvidenceRead", "find-by-card");
    expect(JSON.stringify(read)).toContain(fingerprintOf(currentKey).slice(0, 8));
    expect(JSON.stringify(read)).not.toContain(fingerprintOf(currentKey).slice(0, 9));
    expect(JSON.stringify(await recorded("EvidenceRefused", "find-by-card"))).toContain("not_a_card_number");
    const everything: { data: string }[] = await database.dataSource.query(
      "SELECT data FROM audit.records WHERE topic = 'audit.access'",
    );
    expect(JSON.stringify(everything)).not.toContain(card);
  });
});

const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");
const fingerprintOf = (key: Uint8Array, pan = card): string =>
  createHmac("sha256", key).update(pan).digest("hex");
const findingOf = (key: Uint8Array, pan = card) => ({
  kind: "pan",
  path: "/note",
  start: 0,
  end: 16,
  rule: "pan.range",
  fingerprint: fingerprintOf(key, pan),
});
const payloadOf = (text: string) => ({
  text,
  sha256: sha256Of(text),
  bytes: text.length,
  contentType: "application/json",
  findings: [] as object[],
});

function callCompleted(session: string, text: string, findings: object[] = []): EventMessage {
  return eventOf("CallCompleted", session, {
    recorder: { id: `proxy-${session}`, epoch: ids.newId(), seq: 0, prevHash: "0".repeat(64) },
    callId: ids.newId(),
    sessionId: session,
    principal: { id: "company:ada", kind: "human" },
    client: { id: "c1" },
    endpoint: "payments",
    era: "modern",
    method: "tools/call",
    target: "get_transaction",
    outcome: "result",
    response: { ...payloadOf(text), findings },
  });
}

function eventOf(
  type: string,
  subject: string,
  data: unknown,
  source: EventMessage["source"] = "proxy",
): EventMessage {
  return { id: ids.newId(), type, source, subject, time: ids.now().toISOString(), data };
}

function bundle() {
  const read = (name: string) => readFileSync(new URL(`../../../policies/${name}`, import.meta.url), "utf8");
  return {
    version: "1",
    publishedAt: ids.now().toISOString(),
    endpoints: [],
    policies: [{ file: "gateway.cedar", text: read("gateway.cedar") }],
    schema: read("schema.cedarschema"),
  };
}

async function send(topic: TopicName, ...events: EventMessage[]): Promise<void> {
  await producer.send({ topic, messages: events.map((event): Message => encodeEvent(event)) });
}

const headersOf = (caller: Principal) => ({ authorization: `Bearer ${issuer.token(caller)}` });

async function request(caller: Principal, method: string, path: string, body?: unknown) {
  const response = await fetch(url + path, {
    method,
    headers: { ...headersOf(caller), "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: JSON.parse(text) as unknown };
}

async function recorded(type: string, action: string, principal = auditor): Promise<RecordView[]> {
  const { json } = await request(
    auditor,
    "GET",
    `/records?type=${type}&principal=${principal.id}&limit=1000`,
  );
  return (json as { records: RecordView[] }).records.filter(
    ({ data }) => (data as { action: string }).action === action,
  );
}

/** The session's records once there are as many as expected. */
async function timelineOf(session: string, count: number): Promise<RecordView[]> {
  let records: RecordView[] = [];
  await expect
    .poll(
      async () => {
        const { json } = await request(auditor, "GET", `/sessions/${session}/timeline`);
        ({ records } = json as { records: RecordView[] });
        return records.length;
      },
      { timeout: 30_000, interval: 100 },
    )
    .toBe(count);
  return records;
}
