import { connect } from "node:net";
import { recordBytesMax } from "@countersign/contracts";
import kafkajs from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { randomUUIDv7 } from "node:crypto";
import { Metrics } from "../metrics.js";
import { eventLogOf, everythingOn, originalStored, silentLog } from "../service.fixture.js";
import { EventLog } from "./event-log.js";
import { LogUnavailable, RecordTooLarge } from "./group-commit.js";

describe("the event log", () => {
  let log: EventLog;
  beforeAll(async () => {
    log = eventLogOf("masking");
    await log.open();
  });
  afterAll(() => log.close());

  it("says at once that there is no Kafka where it was told to look", async () => {
    const lost = eventLogOf("masking", "127.0.0.1:1");
    await expect(lost.open()).rejects.toThrow("Kafka does not answer; check KAFKA_BROKERS");
    await expect(lost.append({ topic: "masking.events", event: originalStored("x") })).rejects.toThrow(
      LogUnavailable,
    );
    expect(await lost.problem()).toBe("Kafka does not answer");
    await lost.close();
  });

  it("does not write what belongs to another service", async () => {
    await expect(
      log.append({ topic: "session.events", event: originalStored("x") as never }),
    ).rejects.toThrow("masking may not write session.events, which belongs to session-broker");
  });

  it("refuses a record that is too large, and takes the next", async () => {
    const audit = eventLogOf("audit");
    const [small, large] = [randomUUIDv7(), randomUUIDv7()];
    const value = Buffer.alloc(recordBytesMax);
    await expect(audit.appendRaw("siem.ocsf", [{ key: large, value }])).rejects.toThrow(RecordTooLarge);
    await audit.appendRaw("siem.ocsf", [{ key: small, value: "{}" }]);
    await audit.close();
    const keys = (await everythingOn("siem.ocsf")).map(({ key }) => key);
    expect([keys.includes(small), keys.includes(large)]).toEqual([true, false]);
  });

  it("takes large records that come at the same time, though together they are too large for one batch", async () => {
    const audit = eventLogOf("audit");
    const value = Buffer.alloc(recordBytesMax / 2 - 1024, " ");
    const keys = Array.from({ length: 3 }, () => randomUUIDv7());
    await Promise.all(keys.map((key) => audit.appendRaw("siem.ocsf", [{ key, value }])));
    await audit.close();
    const found = await everythingOn("siem.ocsf");
    expect(found.map(({ key }) => key)).toEqual(expect.arrayContaining(keys));
  });

  it("has each of many concurrent appends once, in the order of its key, where it says", async () => {
    const keys: string[] = Array.from({ length: 20 }, () => randomUUIDv7());
    const written = Array.from({ length: 2_000 }, (_, n) => originalStored(keys[n % keys.length] ?? ""));
    const positions = await Promise.all(
      written.map((event) => log.append({ topic: "masking.events", event })),
    );
    const wanted = new Set(keys);
    const found = (await everythingOn("masking.events")).filter(({ key }) => wanted.has(key));
    for (const key of keys) {
      expect(
        found.filter((seen) => seen.key === key).map(({ headers }) => String(headers?.["ce_id"])),
      ).toEqual(written.filter(({ subject }) => subject === key).map(({ id }) => id));
    }
    const partitionOf = new Map(found.map(({ key, partition }) => [key, partition]));
    expect(positions.flat().map(({ partition }) => partition)).toEqual(
      written.map(({ subject }) => partitionOf.get(subject)),
    );
  });

  it("does not lose the record after one that arrived although nobody said so", async () => {
    let deaf = false;
    const kafka = new kafkajs.Kafka({
      brokers: inject("kafkaBrokers").split(","),
      logLevel: kafkajs.logLevel.NOTHING,
      requestTimeout: 2_000,
      socketFactory: ({ host, port, onConnect }) => {
        const socket = connect({ host, port }, onConnect);
        const emit = socket.emit.bind(socket);
        // What is sent arrives at the broker; its answers do not come back.
        socket.emit = (event: string, ...args: unknown[]) =>
          deaf && event === "data" ? true : emit(event, ...args);
        return socket;
      },
    });
    const masking = new EventLog({
      kafka,
      service: "masking",
      log: silentLog,
      metrics: new Metrics("masking"),
    });
    const subject = randomUUIDv7();
    const events = [originalStored(subject), originalStored(subject), originalStored(subject)] as const;
    await masking.append({ topic: "masking.events", event: events[0] });
    deaf = true;
    const startedAt = performance.now();
    await expect(masking.append({ topic: "masking.events", event: events[1] })).rejects.toThrow(
      LogUnavailable,
    );
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    deaf = false;
    await masking.append({ topic: "masking.events", event: events[2] });
    await masking.close();
    const found = (await everythingOn("masking.events")).filter(({ key }) => key === subject);
    expect(found.map(({ headers }) => String(headers?.["ce_id"]))).toEqual(events.map(({ id }) => id));
  });
});
