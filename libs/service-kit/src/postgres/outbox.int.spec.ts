import type { EventOn } from "@countersign/contracts";
import type { DataSource, MigrationInterface, QueryRunner } from "typeorm";
import { randomUUIDv7 } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type EventLog, type Entry } from "../kafka/event-log.js";
import { eventLogOf, everythingOn, freshDatabase, originalStored, silentLog } from "../service.fixture.js";
import { Outbox } from "./outbox.js";
import { outboxTable, type ServiceSchema } from "./schema.js";

const schemaName = "kit_outbox";

class MakeOutbox1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(outboxTable(schemaName));
  }
  async down(): Promise<void> {}
}

const schema: ServiceSchema = { schema: schemaName, migrations: [MakeOutbox1700000000000] };

describe("the outbox", () => {
  let dataSource: DataSource;
  let masking: EventLog;
  const relays: Outbox[] = [];
  beforeAll(async () => {
    dataSource = await freshDatabase(schema);
    masking = eventLogOf("masking");
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.onModuleDestroy()));
  });
  afterAll(() => masking.close());

  const outbox = (eventLog: EventLog = masking): Outbox =>
    new Outbox({ dataSource, eventLog, log: silentLog, schema: schemaName });
  const start = (eventLog?: EventLog): void => {
    const relay = outbox(eventLog);
    relays.push(relay);
    relay.onApplicationBootstrap();
  };
  const entries = (events: readonly EventOn<"masking.events">[]): Entry[] =>
    events.map((event) => ({ topic: "masking.events", event }));
  const waiting = async (): Promise<number> => {
    const [{ count }] = await dataSource.query<[{ count: string }]>(
      `SELECT count(*) FROM "${schemaName}".outbox`,
    );
    return Number(count);
  };
  const untilEmpty = (): Promise<void> =>
    vi.waitFor(async () => expect(await waiting()).toBe(0), { timeout: 20_000, interval: 50 });
  const sent = async (subject: string): Promise<string[]> =>
    (await everythingOn("masking.events"))
      .filter(({ key }) => key === subject)
      .map(({ headers }) => String(headers?.["ce_id"]));
  const some = (subject: string, count: number): EventOn<"masking.events">[] =>
    Array.from({ length: count }, () => originalStored(subject));

  it("sends nothing of a transaction that was rolled back", async () => {
    const subject = randomUUIDv7();
    await expect(
      dataSource.transaction(async (manager) => {
        await outbox().add(manager, ...entries(some(subject, 1)));
        throw new Error("undecided after all");
      }),
    ).rejects.toThrow("undecided");
    start();
    await untilEmpty();
    expect(await sent(subject)).toEqual([]);
  });

  it("refuses at once what the service may not write, since it would block all that follows", async () => {
    await expect(
      dataSource.transaction((manager) =>
        outbox().add(manager, { topic: "session.events", event: originalStored("x") as never }),
      ),
    ).rejects.toThrow("masking may not write session.events");
    expect(await waiting()).toBe(0);
  });

  it("sends a backlog in the order of its decisions, each once, whatever the number of relays", async () => {
    const subject = randomUUIDv7();
    const events = some(subject, 450);
    for (let n = 0; n < events.length; n += 15) {
      await dataSource.transaction((manager) => outbox().add(manager, ...entries(events.slice(n, n + 15))));
    }
    for (let relay = 0; relay < 3; relay += 1) start();
    await untilEmpty();
    expect(await sent(subject)).toEqual(events.map(({ id }) => id));
  });

  it("sends an event again under the same id when it crashed before it could remove it", async () => {
    const subject = randomUUIDv7();
    const events = some(subject, 2);
    await dataSource.transaction((manager) => outbox().add(manager, ...entries(events)));
    let crashes = 1;
    const append = async (...sending: Entry[]) => {
      const positions = await masking.append(...sending);
      if (crashes-- > 0) throw new Error("the process died here");
      return positions;
    };
    start({ append } as unknown as EventLog);
    await untilEmpty();
    const ids = events.map(({ id }) => id);
    expect(await sent(subject)).toEqual([...ids, ...ids]);
  });

  it("keeps what Kafka does not take, and sends it once Kafka does", async () => {
    const subject = randomUUIDv7();
    const events = some(subject, 3);
    await dataSource.transaction((manager) => outbox().add(manager, ...entries(events)));
    let refusals = 2;
    const append = (...sending: Entry[]) =>
      refusals-- > 0 ? Promise.reject(new Error("unavailable")) : masking.append(...sending);
    start({ append } as unknown as EventLog);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await waiting()).toBe(3);
    await untilEmpty();
    expect(await sent(subject)).toEqual(events.map(({ id }) => id));
  });

  it("sends a backlog of large events in parts that the log takes", async () => {
    const subject = randomUUIDv7();
    const added = "x".repeat(3_500_000);
    const events = some(subject, 6).map((event) => Object.assign(event, { data: { ...event.data, added } }));
    await dataSource.transaction((manager) => outbox().add(manager, ...entries(events)));
    start();
    await untilEmpty();
    expect(await sent(subject)).toEqual(events.map(({ id }) => id));
  });
});
