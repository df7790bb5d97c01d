import { inclusionProof, leafHash, leafOf, verifyInclusion } from "@countersign/evidence";
import {
  Clock,
  createKafka,
  createLogger,
  type Delivery,
  EventLog,
  Metrics,
  Outbox,
  ownerRole,
} from "@countersign/service-kit";
import { Client } from "pg";

import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { AuditMetrics } from "./audit.metrics.js";
import { createDatabase, type TestDatabase } from "./database.fixture.js";
import { delivered, poison, sessionExpired, TestRecorder, uuid } from "./deliveries.fixture.js";
import { Projection } from "./projection.js";
import { readPage } from "./records.js";
import { nodeReader, readFrontier, treeSize } from "./tree.js";

let database: TestDatabase;
let projection: Projection;
let metrics: Metrics;

beforeAll(async () => {
  database = await createDatabase(inject("adminDatabaseUrl"));
  const log = createLogger("audit", "silent");
  metrics = new Metrics("audit");
  // The outbox is written and never relayed here, so the event log does not connect.
  const kafka = createKafka("audit", inject("kafkaBrokers").split(","), log);
  const eventLog = new EventLog({ kafka, service: "audit", log, metrics });
  const outbox = new Outbox({ dataSource: database.dataSource, eventLog, log, schema: "audit" });
  projection = new Projection(outbox, new Clock(), new AuditMetrics(metrics), log);
});
afterAll(() => database.drop());

const append = (...deliveries: Delivery[]): Promise<void> =>
  database.dataSource.transaction((manager) => projection.append(deliveries, manager));

const all = async () => (await readPage(database.dataSource, {}, { after: -1, limit: 10_000 })).records;

const outboxed = async (): Promise<
  { topic: string; event: { type: string; cause: string; data: unknown } }[]
> => database.dataSource.query("SELECT topic, event FROM audit.outbox ORDER BY position");

/** As `number`s never repeat between tests, nor do event ids. */
let number = 1_000;
beforeEach(() => {
  number += 10_000;
});

describe("the projection", () => {
  it("gives every event the next index, once", async () => {
    const before = await treeSize(database.dataSource);
    const twice = delivered("session.events", 1, sessionExpired(number + 1));
    await append(twice, delivered("session.events", 2, sessionExpired(number + 2)), {
      ...twice,
      offset: "3",
    });
    await append({ ...twice, offset: "4" }, delivered("session.events", 5, sessionExpired(number + 3)));
    const added = (await all()).slice(before);
    expect(added.map(({ id, logIndex }) => [id, logIndex - before])).toEqual([
      [uuid(number + 1), 0],
      [uuid(number + 2), 1],
      [uuid(number + 3), 2],
    ]);
  });

  it("keeps nothing of a batch whose transaction was cut off, and all of it the next time", async () => {
    const before = await treeSize(database.dataSource);
    const batch = [1, 2, 3].map((n) => delivered("session.events", n, sessionExpired(number + n)));
    const killed = database.dataSource.transaction(async (manager) => {
      await projection.append(batch, manager);
      await manager.query("SELECT pg_terminate_backend(pg_backend_pid())");
    });
    await expect(killed).rejects.toThrow(/terminating connection/);
    expect(await treeSize(database.dataSource)).toBe(before);
    await append(...batch);
    await append(...batch);
    expect((await all()).slice(before).map(({ id }) => id)).toEqual(batch.map(({ event }) => event?.id));
  });

  it("numbers without holes when batches of several partitions arrive at once", async () => {
    const before = await treeSize(database.dataSource);
    const batches = Array.from({ length: 8 }, (_, b) =>
      Array.from({ length: 25 }, (_, n) =>
        delivered("session.events", n, sessionExpired(number + b * 100 + n)),
      ),
    );
    await Promise.all(batches.map((batch) => append(...batch)));
    const added = (await all()).slice(before);
    expect(added.map(({ logIndex }) => logIndex)).toEqual(added.map((_, n) => before + n));
    expect(new Set(added.map(({ id }) => id)).size).toBe(200);
  });

  it("records a message that it cannot read by its place and digest, once, and goes on", async () => {
    const before = await treeSize(database.dataSource);
    const offset = number;
    const bad = poison("session.events", offset, "not JSON, and a card 4111111111111111");
    const deep = delivered("session.events", offset + 1, {
      ...sessionExpired(number + 1),
      data: { ...(sessionExpired(number + 1).data as object), extra: nested(80) },
    });
    const zero = delivered("session.events", offset + 2, { ...sessionExpired(number + 2), subject: "a\0b" });
    const good = delivered("session.events", offset + 3, sessionExpired(number + 3));
    await append(bad, deep, zero, good);
    await append(bad, good);
    const added = (await all()).slice(before);
    expect(added.map(({ type }) => type)).toEqual([
      "MessageQuarantined",
      "MessageQuarantined",
      "MessageQuarantined",
      "SessionExpired",
    ]);
    expect(added[0]?.data).toMatchObject({
      topic: "session.events",
      offset: String(offset),
      consumer: "audit",
    });
    expect(JSON.stringify(added)).not.toContain("4111111111111111");
    expect(await metrics.registry.getSingleMetricAsString("countersign_events_quarantined_total")).toContain(
      'reason="invalid_envelope"',
    );
  });

  it("tells another message under an id that is taken from a repetition", async () => {
    const before = await treeSize(database.dataSource);
    const first = sessionExpired(number + 1);
    const forged = { ...first, data: { ...(first.data as object), principalId: "dev:mallory" } };
    await append(delivered("session.events", number, first));
    await append(delivered("session.events", number + 1, forged));
    await append(delivered("session.events", number + 1, forged));
    const added = (await all()).slice(before);
    expect(added.map(({ type }) => type)).toEqual(["SessionExpired", "MessageQuarantined"]);
    expect(added[1]?.data).toMatchObject({ detail: "/id: another record has this id" });
  });

  it("keeps values that an index cannot hold", async () => {
    const before = await treeSize(database.dataSource);
    const event = sessionExpired(number + 1);
    const data = {
      ...(event.data as object),
      target: "x".repeat(3_000),
      method: "a\0b",
      outcome: "\0",
    };
    await append(delivered("session.events", number, { ...event, data }));
    expect((await all())[before]?.data).toEqual(data);
  });

  it("takes the largest message there is and gives it back as it was", async () => {
    const before = await treeSize(database.dataSource);
    const recorder = new TestRecorder(number);
    const text = JSON.stringify({
      rows: Array.from({ length: 80_000 }, (_, n) => `"\\" row ${n} ${"ä".repeat(80)}`),
    });
    const started = recorder.started();
    const event = recorder.completed(text);
    await append(delivered("mcp.traffic", number, started), delivered("mcp.traffic", number + 1, event));
    expect(text.length).toBeGreaterThan(7_000_000);
    expect((await all())[before + 1]?.data).toEqual(event.data);
  });

  it("tells a record that vanished between recorder and log, once", async () => {
    const recorder = new TestRecorder(number);
    const [started, lost, found, after] = [
      recorder.started(),
      recorder.completed(),
      recorder.completed(),
      recorder.completed(),
    ];
    await append(delivered("mcp.traffic", 1, started));
    await append(delivered("mcp.traffic", 2, found), delivered("mcp.traffic", 3, after));
    const gaps = (await outboxed()).filter(({ event }) => event.cause === found.id);
    expect(gaps).toMatchObject([
      {
        topic: "audit.access",
        event: {
          type: "RecorderGapDetected",
          data: {
            recorderId: "proxy-1",
            epoch: recorder.epoch,
            expectedSeq: 1,
            foundSeq: 2,
            reason: "missing",
          },
        },
      },
    ]);
    expect((await outboxed()).filter(({ event }) => event.cause === after.id)).toEqual([]);
    expect((await all()).some(({ id }) => id === lost.id)).toBe(false);
  });

  it("says nothing of a recorder whose numbers are whole across batches and redeliveries", async () => {
    const before = (await outboxed()).length;
    const recorder = new TestRecorder(number);
    const events = [recorder.started(), recorder.completed(), recorder.completed()];
    for (const [n, event] of events.entries()) {
      await append(delivered("mcp.traffic", n, event));
      await append(delivered("mcp.traffic", n, event));
    }
    expect((await outboxed()).length).toBe(before);
  });

  it("keeps a record whose text was changed, and tells it", async () => {
    const recorder = new TestRecorder(number);
    const started = recorder.started();
    const changed = structuredClone(recorder.completed('{"amount":1}')) as {
      id: string;
      data: { response: { text: string } };
    };
    changed.data.response.text = '{"amount":2}';
    await append(
      delivered("mcp.traffic", 1, started),
      delivered("mcp.traffic", 2, changed as unknown as typeof started),
    );
    expect((await outboxed()).find(({ event }) => event.cause === changed.id)?.event.data).toMatchObject({
      reason: "hash_mismatch",
      foundSeq: 1,
    });
  });

  it("proves every record against the root of the whole log", async () => {
    const frontier = await readFrontier(database.dataSource);
    const records = await all();
    expect(records.length).toBe(frontier.size);
    for (const record of records) {
      const {
        logIndex: index,
        topic: _topic,
        partition: _partition,
        offset: _offset,
        leafHash: _leaf,
        ...event
      } = record;
      const proof = await inclusionProof(index, frontier.size, nodeReader(database.dataSource));
      const leaf = leafHash(leafOf(event as never));
      expect(
        verifyInclusion({ index, size: frontier.size, leafHash: leaf, proof, root: frontier.root() }),
      ).toBe(true);
    }
  });
});

describe("the tables of the log", () => {
  const statements = (table: string): string[] => [
    `UPDATE audit.${table} SET ctid = ctid WHERE false`.replace("ctid = ctid", assignment(table)),
    `DELETE FROM audit.${table}`,
    `TRUNCATE audit.${table} CASCADE`,
  ];
  const assignment = (table: string): string =>
    ({ records: "data = data", tree_nodes: "hash = hash", checkpoints: "note = note" })[table] ?? "";
  const tables = ["records", "tree_nodes", "checkpoints"];

  const as = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  it.each(tables.flatMap(statements))("refuse the service itself: %s", async (statement) => {
    await as(database.url, (client) => expect(client.query(statement)).rejects.toThrow(/permission denied/));
  });

  it.each(tables.flatMap(statements))("refuse their owner: %s", async (statement) => {
    await as(database.adminUrl, async (client) => {
      await client.query(`SET ROLE "${ownerRole("audit")}"`);
      await expect(client.query(statement)).rejects.toThrow(/is evidence and takes no/);
    });
  });

  it.each(tables.flatMap(statements))(
    "refuse a superuser in a replication session: %s",
    async (statement) => {
      await as(database.adminUrl, async (client) => {
        await client.query("SET session_replication_role = replica");
        await expect(client.query(statement)).rejects.toThrow(/is evidence and takes no/);
      });
    },
  );

  it("do not let the service switch the refusal off", async () => {
    await as(database.url, async (client) => {
      await expect(client.query("ALTER TABLE audit.records DISABLE TRIGGER refuse_change")).rejects.toThrow(
        /must be owner/,
      );
      await expect(client.query("SET session_replication_role = replica")).rejects.toThrow(
        /permission denied/,
      );
      await expect(client.query("CREATE TABLE audit.other (a int)")).rejects.toThrow(/permission denied/);
    });
  });

  it("refuse a second record under an index or an event id that is taken", async () => {
    await as(database.url, async (client) => {
      const copy = (index: string, id: string): string =>
        `INSERT INTO audit.records SELECT ${index}, ${id}, leaf_hash, topic, kafka_partition, kafka_offset, type,
           source, subject, time, cause, data, data_bytes FROM audit.records LIMIT 1`;
      await expect(client.query(copy("log_index", "'x'"))).rejects.toThrow(/duplicate key/);
      await expect(client.query(copy("1000000", "event_id"))).rejects.toThrow(/duplicate key/);
    });
  });
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}
