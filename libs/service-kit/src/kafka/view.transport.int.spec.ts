import { Controller, type INestApplication, Module } from "@nestjs/common";
import { Ctx, Payload } from "@nestjs/microservices";
import type { EventOn, MessageQuarantined } from "@countersign/contracts";
import type { Consumer } from "kafkajs";
import { randomUUIDv7 } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Health } from "../health.js";
import { eventLogOf, everythingOn, newEvent, startService } from "../service.fixture.js";
import type { EventLog } from "./event-log.js";
import { type EventContext, OnEvent } from "./on-event.js";
import { HandlerMissing } from "./transport.js";
import { type ViewSubscription, ViewTransport } from "./view.transport.js";

type Checkpoint = EventOn<"audit.checkpoints">;

/** Lets the handlers go on; a test that wants to see an unfinished view holds them. */
let gate: Promise<void> = Promise.resolve();

@Controller()
class Checkpoints {
  readonly sizes = new Map<string, number[]>();

  @OnEvent("audit.checkpoints", "CheckpointSigned")
  async apply(@Payload() { subject, data }: Checkpoint, @Ctx() _context: EventContext): Promise<void> {
    await gate;
    this.sizes.set(subject, [...(this.sizes.get(subject) ?? []), data.treeSize]);
  }
}

@Module({ controllers: [Checkpoints] })
class ViewModule {}
@Module({})
class EmptyModule {}

describe("a view", () => {
  let audit: EventLog;
  const apps: INestApplication[] = [];
  beforeAll(() => {
    audit = eventLogOf("audit");
  });
  afterEach(async () => {
    gate = Promise.resolve();
    await Promise.all(apps.splice(0).map((app) => app.close()));
  });
  afterAll(() => audit.close());

  const view = async (
    options: Partial<ViewSubscription> = {},
    module: new () => object = ViewModule,
  ): Promise<{ transport: ViewTransport; sizes: Map<string, number[]>; health: Health }> => {
    const transports: ViewTransport[] = [];
    const app = await startService({
      name: "proxy",
      module,
      transports: (_, around) => {
        transports.push(new ViewTransport(around, [{ topic: "audit.checkpoints", ...options }]));
        return transports;
      },
    });
    apps.push(app);
    const [transport] = transports;
    if (!transport) throw new TypeError("the service made no transport");
    return { transport, sizes: app.get(Checkpoints).sizes, health: app.get(Health) };
  };
  const sign = (subject: string, treeSize: number): Promise<unknown> =>
    audit.append({
      topic: "audit.checkpoints",
      event: newEvent<"audit.checkpoints">("audit", "CheckpointSigned", subject, {
        origin: subject,
        treeSize,
        rootHash: "0".repeat(64),
        signedAt: "2026-01-02T03:04:05.678Z",
        note: "",
      }),
    });
  const until = (check: () => Promise<void> | void): Promise<void> =>
    vi.waitFor(check, { timeout: 30_000, interval: 50 });

  it("does not start while a type has no handler", async () => {
    await expect(view({}, EmptyModule)).rejects.toThrow(HandlerMissing);
  });

  it("is not ready before it has applied all that was there, and is from then on", async () => {
    const subject = randomUUIDv7();
    await sign(subject, 1);
    await sign(subject, 2);
    let open: () => void = () => undefined;
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const { transport, sizes, health } = await view();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(transport.whole).toBe(false);
    expect(await health.report()).toMatchObject({
      ready: false,
      checks: { "view of audit.checkpoints": "still reading what happened before the start" },
    });
    open();
    await until(() => expect(transport.whole).toBe(true));
    expect(sizes.get(subject)).toEqual([1, 2]);
    expect((await health.report()).ready).toBe(true);
  });

  it("follows what comes later", async () => {
    const subject = randomUUIDv7();
    const { transport, sizes } = await view();
    await until(() => expect(transport.whole).toBe(true));
    await sign(subject, 7);
    await until(() => expect(sizes.get(subject)).toEqual([7]));
  });

  it("never moves back, though it reads the topic again", async () => {
    const subject = randomUUIDv7();
    await sign(subject, 1);
    await sign(subject, 2);
    const { transport, sizes } = await view();
    await until(() => expect(sizes.get(subject)).toEqual([1, 2]));
    transport.unwrap<Consumer>().seek({ topic: "audit.checkpoints", partition: 0, offset: "0" });
    await sign(subject, 3);
    await until(() => expect(sizes.get(subject)).toEqual([1, 2, 3]));
    expect(transport.whole).toBe(true);
  });

  it("begins at a time, where it was given one", async () => {
    const [early, late] = [randomUUIDv7(), randomUUIDv7()];
    await sign(early, 1);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    await sign(late, 1);
    const { transport, sizes } = await view({ sinceMs: 5_000 });
    await until(() => expect(transport.whole).toBe(true));
    expect([sizes.get(early), sizes.get(late)]).toEqual([undefined, [1]]);
  });

  it("quarantines what it cannot read once, not again at each start", async () => {
    const subject = randomUUIDv7();
    const count = async (): Promise<number> => {
      const offsets = (await everythingOn("audit.checkpoints"))
        .filter(({ key }) => key === subject)
        .map(({ offset }) => offset);
      return (await everythingOn("quarantine.events"))
        .map(({ value }) => JSON.parse(value) as MessageQuarantined)
        .filter(
          ({ topic, offset, consumer }) =>
            topic === "audit.checkpoints" && consumer === "proxy" && offsets.includes(offset),
        ).length;
    };
    const first = await view();
    await until(() => expect(first.transport.whole).toBe(true));
    await audit.appendRaw("audit.checkpoints", [{ key: subject, value: "not an event" }]);
    await sign(subject, 1);
    await until(() => expect(first.sizes.get(subject)).toEqual([1]));
    expect(await count()).toBe(1);

    const second = await view();
    await until(() => expect(second.transport.whole).toBe(true));
    await sign(subject, 2);
    await until(() => expect(second.sizes.get(subject)).toEqual([1, 2]));
    expect(await count()).toBe(1);
  });
});
