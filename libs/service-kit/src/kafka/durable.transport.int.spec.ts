import { randomUUID, randomUUIDv7 } from "node:crypto";
import { type INestApplication, Module } from "@nestjs/common";
import { Controller } from "@nestjs/common";
import { Ctx, Payload } from "@nestjs/microservices";
import { type EventOn, type MessageQuarantined, type TopicName, topics } from "@countersign/contracts";
import type { DataSource, MigrationInterface, QueryRunner } from "typeorm";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFailed, vi } from "vitest";
import { consumerOffsetsTable, type ServiceSchema } from "../postgres/schema.js";
import {
  eventLogOf,
  everythingOn,
  freshDatabase,
  newEvent,
  originalStored,
  plainKafka,
  startService,
} from "../service.fixture.js";
import { DurableTransport } from "./durable.transport.js";
import type { EventLog } from "./event-log.js";
import { type Delivery, type EventContext, OnEvent } from "./on-event.js";
import { EventRefused, HandlerMissing } from "./transport.js";

const schemaName = "kit_durable";

class MakeTables1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(consumerOffsetsTable(schemaName));
    // No uniqueness: an event that took effect twice is to be seen.
    await runner.query(
      `CREATE TABLE "${schemaName}".applied (nth bigint GENERATED ALWAYS AS IDENTITY, subject text, event_id text);
       GRANT SELECT, INSERT, DELETE ON "${schemaName}".applied TO "countersign_${schemaName}"`,
    );
  }
  async down(): Promise<void> {}
}

const schema: ServiceSchema = { schema: schemaName, migrations: [MakeTables1700000000000] };

type Stored = Extract<EventOn<"masking.events">, { type: "OriginalStored" }>;
type Checkpoint = EventOn<"audit.checkpoints">;

/** What the handlers do once they have written their row. */
let afterApplying: (subject: string) => void = () => undefined;

const apply = async (event: Stored | Checkpoint, context: EventContext): Promise<void> => {
  await context.manager?.query(`INSERT INTO "${schemaName}".applied (subject, event_id) VALUES ($1, $2)`, [
    event.subject,
    event.id,
  ]);
  afterApplying(event.subject);
};

@Controller()
class Followers {
  @OnEvent("masking.events", "OriginalStored")
  stored(@Payload() event: Stored, @Ctx() context: EventContext): Promise<void> {
    return apply(event, context);
  }
  @OnEvent("audit.checkpoints", "CheckpointSigned")
  signed(@Payload() event: Checkpoint, @Ctx() context: EventContext): Promise<void> {
    return apply(event, context);
  }
}

@Module({ controllers: [Followers] })
class FollowerModule {}
@Module({})
class EmptyModule {}

const checkpoint = (subject: string): Checkpoint =>
  newEvent<"audit.checkpoints">("audit", "CheckpointSigned", subject, {
    origin: subject,
    treeSize: 0,
    rootHash: "0".repeat(64),
    signedAt: "2026-01-02T03:04:05.678Z",
    note: "",
  });

describe("a durable subscription", () => {
  let dataSource: DataSource;
  let masking: EventLog;
  let audit: EventLog;
  const apps = new Set<INestApplication>();
  beforeAll(async () => {
    dataSource = await freshDatabase(schema);
    masking = eventLogOf("masking");
    audit = eventLogOf("audit");
  });
  afterEach(async () => {
    afterApplying = () => undefined;
    for (const app of apps) await app.close();
    apps.clear();
  });
  afterAll(async () => {
    await masking.close();
    await audit.close();
  });

  const handled = new Set<string>(["OriginalStored", "CheckpointSigned"]);
  const ignored = (topic: TopicName): string[] =>
    topics[topic].messages.map(({ type }) => type as string).filter((type) => !handled.has(type));
  const follow = async (
    group: string,
    topic: "masking.events" | "audit.checkpoints",
    options: { module?: new () => object; batch?: (deliveries: readonly Delivery[]) => Promise<void> } = {},
  ): Promise<INestApplication> => {
    const { module = FollowerModule, batch } = options;
    const app = await startService({
      name: "approval",
      module,
      transports: (_, around) => [
        new DurableTransport(around, [{ topic, ignores: ignored(topic) }], {
          dataSource,
          schema: schemaName,
          group,
          ...(batch ? { batch } : {}),
        }),
      ],
    });
    apps.add(app);
    return app;
  };
  const stop = async (app: INestApplication): Promise<void> => {
    apps.delete(app);
    await app.close();
  };
  const applied = async (subject: string): Promise<string[]> => {
    const rows: { event_id: string }[] = await dataSource.query(
      `SELECT event_id FROM "${schemaName}".applied WHERE subject = $1 ORDER BY nth`,
      [subject],
    );
    return rows.map(({ event_id }) => event_id);
  };
  const until = (check: () => Promise<void>): Promise<void> =>
    vi.waitFor(check, { timeout: 40_000, interval: 100 });
  const untilApplied = (subject: string, events: readonly { id: string }[]): Promise<void> =>
    until(async () => expect(await applied(subject)).toEqual(events.map(({ id }) => id)));
  const quarantined = async (subject: string): Promise<MessageQuarantined[]> => {
    const offsets = (await everythingOn("audit.checkpoints"))
      .filter(({ key }) => key === subject)
      .map(({ offset }) => offset);
    return (await everythingOn("quarantine.events"))
      .map(({ value }) => JSON.parse(value) as MessageQuarantined)
      .filter(({ topic, offset }) => topic === "audit.checkpoints" && offsets.includes(offset));
  };

  it("does not start while a type has no handler", async () => {
    await expect(follow(randomUUID(), "audit.checkpoints", { module: EmptyModule })).rejects.toThrow(
      HandlerMissing,
    );
    await expect(follow(randomUUID(), "audit.checkpoints", { module: EmptyModule })).rejects.toThrow(
      "No handler takes audit.checkpoints/CheckpointSigned",
    );
  });

  it.each([
    ["a plain error", () => new Error("not now")],
    ["an error after which the client library would stop for good", () => new TypeError("not now")],
  ])("applies an event once, after its handler failed with %s", async (_, error) => {
    const subject = randomUUIDv7();
    const events = [checkpoint(subject), checkpoint(subject), checkpoint(subject)];
    let failures = 3;
    afterApplying = (applying) => {
      if (applying === subject && failures-- > 0) throw error();
    };
    await follow(randomUUID(), "audit.checkpoints");
    for (const event of events) await audit.append({ topic: "audit.checkpoints", event });
    await untilApplied(subject, events);
    expect(failures).toBeLessThan(0);
  });

  it("quarantines an event that its handler refuses, undoes what it did, and goes on", async () => {
    const subject = randomUUIDv7();
    const refused = checkpoint(subject);
    const next = checkpoint(subject);
    let first = true;
    afterApplying = (applying) => {
      if (applying !== subject || !first) return;
      first = false;
      throw new EventRefused("This checkpoint is of another log.");
    };
    await follow(randomUUID(), "audit.checkpoints");
    await audit.append({ topic: "audit.checkpoints", event: refused });
    await audit.append({ topic: "audit.checkpoints", event: next });
    await untilApplied(subject, [next]);
    expect(await quarantined(subject)).toMatchObject([
      { reason: "handler_refused", detail: "This checkpoint is of another log.", consumer: "approval" },
    ]);
  });

  it("quarantines a message that cannot be read, by its place and digest alone, and goes on", async () => {
    const subject = randomUUIDv7();
    const last = checkpoint(subject);
    const canary = "4111111111111111";
    await audit.appendRaw("audit.checkpoints", [
      { key: subject, value: canary },
      { key: subject, value: `{"${canary}`, headers: { ce_type: canary } },
      { key: subject, value: null },
    ]);
    await follow(randomUUID(), "audit.checkpoints");
    await audit.append({ topic: "audit.checkpoints", event: last });
    await untilApplied(subject, [last]);
    const records = await quarantined(subject);
    expect(records.map(({ reason, bytes }) => [reason, bytes])).toEqual([
      ["invalid_envelope", 16],
      ["invalid_envelope", 18],
      ["invalid_envelope", 0],
    ]);
    expect(JSON.stringify(records)).not.toContain(canary);
  });

  it("applies nothing twice when Kafka has forgotten how far it was", async () => {
    const [group, subject] = [randomUUID(), randomUUIDv7()];
    const events = [originalStored(subject), originalStored(subject)];
    const app = await follow(group, "masking.events");
    for (const event of events) await masking.append({ topic: "masking.events", event });
    await untilApplied(subject, events);
    await stop(app);
    const admin = plainKafka().admin();
    await admin.connect();
    await admin.deleteGroups([group]);
    await admin.disconnect();

    const later = originalStored(subject);
    await follow(group, "masking.events");
    await masking.append({ topic: "masking.events", event: later });
    await untilApplied(subject, [...events, later]);
    expect(await applied(subject)).toHaveLength(events.length + 1);
  });

  it("applies again what PostgreSQL lost, though Kafka believes it done", async () => {
    const [group, subject] = [randomUUID(), randomUUIDv7()];
    const events = [checkpoint(subject), checkpoint(subject), checkpoint(subject)];
    const app = await follow(group, "audit.checkpoints");
    for (const event of events) await audit.append({ topic: "audit.checkpoints", event });
    await untilApplied(subject, events);
    await stop(app);
    const place = (await everythingOn("audit.checkpoints")).find(({ key }) => key === subject);
    await dataSource.query(`DELETE FROM "${schemaName}".applied WHERE subject = $1`, [subject]);
    await dataSource.query(
      `UPDATE "${schemaName}".consumer_offsets SET next_offset = $2 WHERE consumer_group = $1`,
      [group, place?.offset],
    );

    const later = checkpoint(subject);
    await follow(group, "audit.checkpoints");
    await audit.append({ topic: "audit.checkpoints", event: later });
    await untilApplied(subject, [...events, later]);
    expect(await applied(subject)).toHaveLength(events.length + 1);
  });

  it("applies each event once while members of its group come and go", async () => {
    const [group, run] = [randomUUID(), randomUUIDv7()];
    const subjects = Array.from({ length: 12 }, (_, n) => `${run}-${n}`);
    const events: EventOn<"masking.events">[] = [];
    const stopped = new AbortController();
    onTestFailed(() => stopped.abort());
    const writer = (async () => {
      while (!stopped.signal.aborted) {
        const event = originalStored(subjects[events.length % subjects.length] ?? "");
        await masking.append({ topic: "masking.events", event });
        events.push(event);
      }
    })();
    const first = await follow(group, "masking.events");
    const second = await follow(group, "masking.events");
    await until(async () => {
      expect((await applied(subjects[0] ?? "")).length).toBeGreaterThan(5);
    });
    await stop(first);
    const third = await follow(group, "masking.events");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    stopped.abort();
    await writer;
    for (const subject of subjects) {
      await untilApplied(
        subject,
        events.filter((event) => event.subject === subject),
      );
    }
    await stop(second);
    await stop(third);
    expect(events.length).toBeGreaterThan(100);
  });

  it("hands unreadable messages to a batch handler, in their order, with why", async () => {
    const subject = randomUUIDv7();
    await audit.appendRaw("audit.checkpoints", [{ key: subject, value: "{}" }]);
    await audit.append({ topic: "audit.checkpoints", event: checkpoint(subject) });
    const unreadableOffset = (await everythingOn("audit.checkpoints")).find(
      ({ key }) => key === subject,
    )?.offset;
    const taken: Delivery[] = [];
    await follow(randomUUID(), "audit.checkpoints", {
      module: EmptyModule,
      batch: (deliveries) => {
        taken.push(...deliveries);
        return Promise.resolve();
      },
    });
    await until(async () => {
      const start = taken.findIndex(({ offset }) => offset === unreadableOffset);
      expect(taken.slice(start, start + 2)).toMatchObject([
        { problem: { reason: "invalid_envelope" }, value: Buffer.from("{}") },
        { event: { subject } },
      ]);
    });
    const offsets = taken.map(({ offset }) => Number(offset));
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  });
});
