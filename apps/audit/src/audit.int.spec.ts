import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { INestApplication } from "@nestjs/common";
import {
  type CheckpointSigned,
  type EventMessage,
  type Principal,
  type RecordView,
  recordView,
  type TopicName,
} from "@countersign/contracts";
import { openCheckpoint, verifyBundle, verifyConsistency, verifyInclusion } from "@countersign/evidence";
import { Clock, createKafka, decodeEvent, encodeEvent } from "@countersign/service-kit";
import { TestIssuer } from "@countersign/service-kit/testing";
import type { Consumer, Message, Producer } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { PolicyView } from "./access/policy.view.js";
import { createDatabase, type TestDatabase } from "./database.fixture.js";
import { Scrub } from "./scrub.js";
import { checkpointKeyFile, log, startService } from "./service.fixture.js";

const ids = new Clock();
const kafka = createKafka("spec", inject("kafkaBrokers").split(","), log);
const issuer = new TestIssuer();
const keyFile = checkpointKeyFile();
const bundleVersion = randomUUID();

const auditor: Principal = { id: `company:iris-${bundleVersion}`, kind: "human", groups: ["auditors"] };
const engineer: Principal = {
  id: `company:ada-${bundleVersion}`,
  kind: "human",
  groups: ["payments-engineers"],
};

let database: TestDatabase;
let producer: Producer;
let consumer: Consumer;
let app: INestApplication | undefined;
let url = "";

const onTopics: { topic: string; key: string; value: string; id: string; event: EventMessage | undefined }[] =
  [];

beforeAll(async () => {
  database = await createDatabase(inject("adminDatabaseUrl"));
  await issuer.start();
  producer = kafka.producer();
  await producer.connect();
  consumer = kafka.consumer({ groupId: `spec-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({
    topics: ["audit.access", "audit.checkpoints", "siem.ocsf"],
    fromBeginning: true,
  });
  await consumer.run({
    eachMessage: ({ topic, message }) => {
      const { event } = decodeEvent(topic as TopicName, message.headers, message.value);
      const [key, value] = [String(message.key), String(message.value)];
      onTopics.push({ topic, key, value, id: String(message.headers?.["ce_id"]), event });
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
  issuer.stop();
  keyFile.remove();
  await database.drop();
});

describe("the audit service", () => {
  it("records what happens, in order, and shows it to an auditor", async () => {
    const session = ids.newId();
    const events = [sessionExpired(session), sessionExpired(session), sessionExpired(session)];
    await send("session.events", ...events);
    const records = await timelineOf(session, 3);
    expect(records.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(records.map(({ data }) => data)).toEqual(events.map(({ data }) => data));
  });

  it("finds records by session, principal, endpoint, type and time, in pages", async () => {
    const session = ids.newId();
    const person = `company:${session}`;
    await send("session.events", ...[1, 2, 3].map(() => sessionExpired(session, person)));
    await timelineOf(session, 3);
    const found = async (query: string): Promise<{ records: RecordView[]; next?: number }> =>
      (await get(auditor, `/records?${query}`)).body as never;
    expect((await found(`principal=${encodeURIComponent(person)}`)).records).toHaveLength(3);
    expect((await found(`session=${session}&type=SessionExpired&endpoint=payments`)).records).toHaveLength(3);
    expect((await found(`session=${session}&type=SessionGranted`)).records).toEqual([]);
    expect((await found(`session=${session}&from=2026-03-02T00:00:00.000Z`)).records).toEqual([]);
    const first = await found(`session=${session}&limit=2`);
    expect(first.records).toHaveLength(2);
    const rest = await found(`session=${session}&limit=2&after=${first.next}`);
    expect(rest.records).toHaveLength(1);
    expect(rest.next).toBeUndefined();
  });

  it("gives every record to the SIEM once under its index, in order", async () => {
    const session = ids.newId();
    const events = [1, 2, 3, 4].map(() => sessionExpired(session));
    await send("session.events", ...events);
    await timelineOf(session, 4);
    const sent = () => onTopics.filter(({ topic, key }) => topic === "siem.ocsf" && key === session);
    await expect.poll(() => sent().length).toBe(4);
    const ocsf = sent().map(
      ({ value }) => JSON.parse(value) as { metadata: { uid: string; sequence: number } },
    );
    expect(ocsf.map(({ metadata }) => metadata.uid)).toEqual(events.map(({ id }) => id));
    const records = await timelineOf(session, 4);
    expect(ocsf.map(({ metadata }) => metadata.sequence)).toEqual(records.map(({ logIndex }) => logIndex));
  });

  it("records each reading durably before it answers, and what was read", async () => {
    const session = ids.newId();
    await get(auditor, `/sessions/${session}/timeline`);
    await expect
      .poll(() => accessOf("EvidenceRead").find(({ query }) => String(query).includes(session)))
      .toMatchObject({ by: auditor, action: "timeline", results: 0 });
  });

  it("shows nothing when the reading cannot be recorded", async () => {
    const session = ids.newId();
    const { EventLog } = await import("@countersign/service-kit");
    const append = vi.spyOn(app?.get(EventLog) as InstanceType<typeof EventLog>, "append");
    // Checkpoints and the outbox append in the background, and could take the one rejection for themselves.
    append.mockRejectedValue(new Error("down"));
    const { status, body } = await get(auditor, `/sessions/${session}/timeline`);
    append.mockRestore();
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { error: { code: "evidence_unavailable" } },
    });
  });

  it("refuses whom no policy lets search, and records that", async () => {
    for (const path of [
      "/records",
      "/records/0",
      "/records/0/proof",
      "/checkpoints/latest",
      `/export?session=${ids.newId()}`,
    ]) {
      const { status, body } = await get(engineer, path);
      expect({ path, status, body }).toMatchObject({
        status: 403,
        body: { error: { code: "forbidden_by_policy" } },
      });
    }
    await expect
      .poll(() => accessOf("EvidenceRefused").filter(({ by }) => isOf(by, engineer)).length)
      .toBe(5);
  });

  it("refuses whoever brings no token, and records that", async () => {
    const before = accessOf("EvidenceRefused").length;
    const response = await fetch(`${url}/records/0`);
    expect(response.status).toBe(401);
    await expect
      .poll(() => accessOf("EvidenceRefused").slice(before))
      .toContainEqual({
        action: "/records/:logIndex",
        reason: "token_missing",
      });
  });

  it.each([
    "tool=4111111111111111",
    "principal=4111%201111%201111%201111",
    "method=x4111-1111-1111-1111",
    "after=4111111111111111",
  ])("refuses a question that holds what may be a card number, and repeats it nowhere: %s", async (query) => {
    // What other specs left on the log may hold such a number on purpose.
    const ours = () => onTopics.filter(({ value }) => value.includes(auditor.id));
    const refusals = () => ours().filter(({ value }) => value.includes("query_holds_digits")).length;
    const before = refusals();
    const { status, text } = await get(auditor, `/records?${query}`);
    expect(status).toBe(400);
    expect(text).not.toContain("4111");
    await expect.poll(refusals).toBeGreaterThan(before);
    expect(JSON.stringify(ours())).not.toMatch(/1111.{0,3}1111/);
  });

  it("records a message that it cannot read and goes on with the next", async () => {
    const session = ids.newId();
    const marker = `poison ${session}`;
    await producer.send({ topic: "identity.events", messages: [{ key: "x", value: marker }] });
    await send("session.events", sessionExpired(session));
    await timelineOf(session, 1);
    const quarantined = async (): Promise<RecordView[]> =>
      ((await get(auditor, "/records?type=MessageQuarantined&limit=1000")).body as { records: RecordView[] })
        .records;
    await expect.poll(async () => (await quarantined()).length).toBeGreaterThan(0);
    expect(JSON.stringify(await quarantined())).not.toContain(marker);
  });

  it("signs the head within seconds, and proves each record under it", async () => {
    const session = ids.newId();
    await send("session.events", ...[1, 2, 3].map(() => sessionExpired(session)));
    const records = await timelineOf(session, 3);
    const { verifierKey } = (await (await fetch(`${url}/verifier-key`)).json()) as { verifierKey: string };
    const last = records.at(-1)?.logIndex ?? 0;
    await expect
      .poll(async () => ((await get(auditor, "/checkpoints/latest")).body as CheckpointSigned).treeSize)
      .toBeGreaterThan(last);
    for (const { logIndex: index } of records) {
      const { body } = await get(auditor, `/records/${index}/proof`);
      const { leafHash, proof, checkpoint } = body as {
        leafHash: string;
        proof: string[];
        checkpoint: string;
      };
      const { size, root } = openCheckpoint(checkpoint, verifierKey);
      expect(
        verifyInclusion({
          index,
          size,
          leafHash: Buffer.from(leafHash, "hex"),
          proof: proof.map(fromBase64),
          root,
        }),
      ).toBe(true);
    }
  });

  it("publishes checkpoints that only ever grow out of each other", async () => {
    const { verifierKey } = (await (await fetch(`${url}/verifier-key`)).json()) as { verifierKey: string };
    // Other specs have logs and keys of their own.
    const isOurs = ({ note }: CheckpointSigned): boolean => {
      try {
        return openCheckpoint(note, verifierKey).size > 0;
      } catch {
        return false;
      }
    };
    const signed = (): CheckpointSigned[] =>
      onTopics
        .filter(({ event }) => event?.type === "CheckpointSigned")
        .map(({ event }) => event?.data as CheckpointSigned)
        .filter(isOurs);
    await expect.poll(() => signed().length).toBeGreaterThan(2);
    const [first, second] = [signed().at(0), signed().at(-1)];
    if (!first || !second) throw new Error("no checkpoints");
    const { body } = await get(auditor, `/consistency?first=${first.treeSize}&second=${second.treeSize}`);
    expect(
      verifyConsistency({
        first: first.treeSize,
        second: second.treeSize,
        firstRoot: Buffer.from(first.rootHash, "hex"),
        secondRoot: Buffer.from(second.rootHash, "hex"),
        proof: (body as { proof: string[] }).proof.map(fromBase64),
      }),
    ).toBe(true);
  });

  it("exports a session as a bundle that stands on its own", async () => {
    const session = ids.newId();
    await send("session.events", ...[1, 2, 3].map(() => sessionExpired(session)));
    await timelineOf(session, 3);
    const { status, text } = await get(auditor, `/export?session=${session}`);
    expect(status).toBe(200);
    const { verifierKey } = (await (await fetch(`${url}/verifier-key`)).json()) as { verifierKey: string };
    expect(await verifyBundle(text.split("\n").slice(0, -1), { verifierKey })).toMatchObject({
      ok: true,
      keyTrusted: true,
      records: 3,
    });
  });
});

describe("the audit service after a crash", () => {
  /** What Kafka remembers of the group, moved to either end of what is there now. */
  const moveGroup = async (to: "low" | "high"): Promise<void> => {
    const [groupId, topic] = ["audit", "session.events"];
    const admin = kafka.admin();
    await admin.connect();
    try {
      const ends = await admin.fetchTopicOffsets(topic);
      const partitions = ends.map((end) => ({ partition: end.partition, offset: end[to] }));
      await admin.setOffsets({ groupId, topic, partitions });
    } finally {
      await admin.disconnect();
    }
  };

  it("adds nothing when Kafka delivers again what PostgreSQL has committed", async () => {
    const session = ids.newId();
    await send("session.events", sessionExpired(session), sessionExpired(session));
    await timelineOf(session, 2);
    await app?.close();
    await moveGroup("low");
    await start();
    await policyKnown();
    await send("session.events", sessionExpired(session));
    expect(await timelineOf(session, 3)).toHaveLength(3);
  });

  it("adds nothing when even its offsets are lost and everything is read again", async () => {
    const session = ids.newId();
    await send("session.events", sessionExpired(session), sessionExpired(session));
    await timelineOf(session, 2);
    await app?.close();
    await database.dataSource.query("UPDATE audit.consumer_offsets SET next_offset = NULL");
    await start();
    await policyKnown();
    await send("session.events", sessionExpired(session));
    expect(await timelineOf(session, 3)).toHaveLength(3);
  });

  it("loses nothing when Kafka's offset ran ahead of PostgreSQL", async () => {
    const session = ids.newId();
    await app?.close();
    const events = [1, 2, 3].map(() => sessionExpired(session));
    await send("session.events", ...events);
    await moveGroup("high");
    await start();
    await policyKnown();
    const last = sessionExpired(session);
    await send("session.events", last);
    const records = await timelineOf(session, 4);
    expect(records.map(({ id }) => id)).toEqual([...events, last].map(({ id }) => id));
  });

  it("finds a record that a superuser changed behind the triggers, and one that is gone", async () => {
    const session = ids.newId();
    await send("session.events", ...[1, 2, 3].map(() => sessionExpired(session)));
    const [changed, removed, last] = await timelineOf(session, 3);
    if (!changed || !removed || !last) throw new Error("three records");
    await expect
      .poll(async () => ((await get(auditor, "/checkpoints/latest")).body as CheckpointSigned).treeSize)
      .toBeGreaterThan(last.logIndex);
    for (const statement of [
      "ALTER TABLE audit.records DISABLE TRIGGER refuse_change",
      `UPDATE audit.records SET data = replace(data, 'idle', 'duration') WHERE log_index = ${changed.logIndex}`,
      `DELETE FROM audit.records WHERE log_index = ${removed.logIndex}`,
      "ALTER TABLE audit.records ENABLE ALWAYS TRIGGER refuse_change",
    ])
      await database.query(statement);
    // Records of other specs, whose made-up payloads never had their digests, are told too.
    const altered = () => new Set(accessOf("EvidenceAltered").map(({ logIndex }) => Number(logIndex)));
    const scrub = app?.get(Scrub);
    await expect
      .poll(
        async () => {
          // At its own pace it would take minutes to come this far in a log that all specs write to.
          await scrub?.verifySlice();
          return [changed, removed].map(({ logIndex }) => altered().has(logIndex));
        },
        { timeout: 50_000 },
      )
      .toEqual([true, true]);
    expect(altered()).not.toContain(last.logIndex);
    const finding = () =>
      onTopics.find(
        ({ topic, value }) => topic === "siem.ocsf" && value.includes("A stored record was altered"),
      );
    await expect.poll(() => finding()?.value).toContain('"class_uid":2006');
  });

  it("signs nothing more once the newest checkpoint is not one that it signed over this tree", async () => {
    const signed = async (): Promise<number> => {
      const rows: { size: string | null }[] = await database.dataSource.query(
        "SELECT max(tree_size) AS size FROM audit.checkpoints",
      );
      return Number(rows[0]?.size ?? 0);
    };
    await expect.poll(signed).toBeGreaterThan(0);
    // As far beyond the log as nobody gets in a test: signed, and then lost.
    await database.dataSource.query(
      `INSERT INTO audit.checkpoints SELECT tree_size + 1000000, origin, root_hash, signed_at, note
       FROM audit.checkpoints WHERE tree_size = $1`,
      [await signed()],
    );
    await expect
      .poll(async () => (await fetch(`${url}/readyz`)).text())
      .toContain("no longer leads to its signed checkpoint");
  });
});

async function start(): Promise<void> {
  const started = await startService({
    brokers: inject("kafkaBrokers"),
    databaseUrl: database.url,
    issuerUrl: issuer.url,
    keyFile: keyFile.path,
    prepare: (prepared) => {
      // Other specs publish bundles to the same broker; this one goes by its own.
      const policy = prepared.get(PolicyView);
      const take = policy.take.bind(policy);
      vi.spyOn(policy, "take").mockImplementation((bundle) => {
        if (bundle.version === bundleVersion) take(bundle);
      });
    },
  });
  app = started.app;
  url = started.url;
}

const policyKnown = (): Promise<void> =>
  vi.waitFor(() => expect(app?.get(PolicyView).maySearch(auditor)).toBe(true));

async function bundleEvent(): Promise<EventMessage> {
  const folder = fileURLToPath(new URL("../../../policies/", import.meta.url));
  const files = (await readdir(folder)).filter((file) => file.endsWith(".cedar"));
  const policies = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(folder, file), "utf8") })),
  );
  const schema = await readFile(join(folder, "schema.cedarschema"), "utf8");
  const publishedAt = ids.now().toISOString();
  return {
    id: ids.newId(),
    type: "PolicyBundlePublished",
    source: "session-broker",
    subject: "bundle",
    time: publishedAt,
    data: { version: bundleVersion, publishedAt, endpoints: [], policies, schema },
  };
}

const sessionExpired = (sessionId: string, principalId = "company:ada"): EventMessage => ({
  id: ids.newId(),
  type: "SessionExpired",
  source: "session-broker",
  subject: sessionId,
  time: "2026-03-01T10:00:00.000Z",
  data: { sessionId, principalId, endpoint: "payments", cause: "idle" },
});

async function send(topic: TopicName, ...events: EventMessage[]): Promise<void> {
  await producer.send({ topic, messages: events.map((event): Message => encodeEvent(event)) });
}

async function get(
  caller: Principal,
  path: string,
): Promise<{ status: number; text: string; body: unknown }> {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${issuer.token(caller)}` } });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("application/json");
  return { status: response.status, text, body: isJson ? (JSON.parse(text) as unknown) : undefined };
}

/** The session's records once there are as many as expected. */
async function timelineOf(session: string, count: number): Promise<RecordView[]> {
  let records: RecordView[] = [];
  await expect
    .poll(
      async () => {
        const { body } = await get(auditor, `/sessions/${session}/timeline`);
        records = recordView.array().parse((body as { records: unknown }).records);
        return records.length;
      },
      { timeout: 20_000, interval: 100 },
    )
    .toBe(count);
  return records;
}

const isOf = (by: unknown, { id }: Principal): boolean => (by as Principal | undefined)?.id === id;

const accessOf = (type: string): Record<string, unknown>[] =>
  onTopics
    .filter(({ event }) => event?.type === type)
    .map(({ event }) => event?.data as Record<string, unknown>);

const fromBase64 = (text: string): Uint8Array => Buffer.from(text, "base64");
