import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts, type RunningKafka, startKafka } from "@countersign/local";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ensureTopics } from "../infra/setup/src/topics.js";
import type { EventLog } from "../libs/service-kit/src/kafka/event-log.js";
import { LogUnavailable } from "../libs/service-kit/src/kafka/group-commit.js";
import { eventLogOf, everythingOn, originalStored } from "../libs/service-kit/src/service.fixture.js";

/** What a caller was told of one append, and how long that took. */
interface Attempt {
  readonly id: string;
  readonly acknowledged: boolean;
  readonly tookMs: number;
}

const answerMsMax = 10_000;

describe("the event log while Kafka goes away", () => {
  let folder: string;
  let kafka: RunningKafka;
  let log: EventLog;
  let start: () => Promise<RunningKafka>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "countersign-outage-"));
    const [port = 0, controllerPort = 0] = await freePorts(2);
    start = () => startKafka({ dataDir: folder, port, controllerPort });
    kafka = await start();
    await ensureTopics(kafka.brokers);
    log = eventLogOf("masking", kafka.brokers);
    await log.open();
  });
  afterAll(async () => {
    await log.close();
    await kafka.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const attempt = async (subject: string): Promise<Attempt> => {
    const event = originalStored(subject);
    const startedAt = performance.now();
    const outcome = await log.append({ topic: "masking.events", event }).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof LogUnavailable)) throw error;
        return false;
      },
    );
    return { id: event.id, acknowledged: outcome, tookMs: performance.now() - startedAt };
  };
  const onTheLog = async (subject: string): Promise<string[]> =>
    (await everythingOn("masking.events", kafka.brokers))
      .filter(({ key }) => key === subject)
      .map(({ headers }) => String(headers?.["ce_id"]));

  it("refuses within the bound, says that it is not ready, and takes records again once Kafka is back", async () => {
    const subject = randomUUID();
    const before = await attempt(subject);
    await kafka.stop();
    const during = [await attempt(subject), await attempt(subject)];
    expect(await log.problem()).toBe("Kafka does not answer");
    kafka = await start();
    const after = [await attempt(subject), await attempt(subject)];
    expect([before, ...during, ...after].map(({ acknowledged }) => acknowledged)).toEqual([
      true,
      false,
      false,
      true,
      true,
    ]);
    expect(Math.max(...during.map(({ tookMs }) => tookMs))).toBeLessThan(answerMsMax);
    expect(await log.problem()).toBeUndefined();
    expect(await onTheLog(subject)).toEqual([before, ...after].map(({ id }) => id));
  });

  it("loses nothing that it acknowledged, repeats nothing and keeps its order, however often Kafka dies", async () => {
    const subject = randomUUID();
    const attempts: Attempt[] = [];
    const stopped = new AbortController();
    const writers = Array.from({ length: 8 }, async () => {
      while (!stopped.signal.aborted) {
        const made = await attempt(subject);
        attempts.push(made);
        await sleep(made.acknowledged ? 2 : 100);
      }
    });
    const acknowledgedMore = async (): Promise<void> => {
      const count = () => attempts.filter((made) => made.acknowledged).length;
      const before = count();
      await vi.waitUntil(() => count() >= before + 200, { timeout: 60_000 });
    };
    for (let kills = 0; kills < 3; kills += 1) {
      await acknowledgedMore();
      kafka.kill();
      await kafka.failure.catch(() => undefined);
      await sleep(500);
      kafka = await start();
    }
    await acknowledgedMore();
    stopped.abort();
    await Promise.all(writers);

    const found = await onTheLog(subject);
    const acknowledged = attempts.filter((made) => made.acknowledged).map(({ id }) => id);
    const refused = attempts.filter((made) => !made.acknowledged);
    const told = new Set(acknowledged);
    expect(found.filter((id) => told.has(id))).toEqual(acknowledged);
    expect(found.length).toBe(new Set(found).size);
    expect(Math.max(...attempts.map(({ tookMs }) => tookMs))).toBeLessThan(answerMsMax);
    expect(refused.length).toBeGreaterThan(0);
  }, 300_000);
});
