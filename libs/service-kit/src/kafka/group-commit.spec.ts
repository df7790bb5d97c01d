import { recordBytesMax } from "@countersign/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GroupCommit, LogUnavailable, RecordTooLarge } from "./group-commit.js";

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A log in memory, whose sends end when the test says so. */
class FakeLog {
  readonly stored: string[] = [];
  readonly batches: string[][] = [];
  readonly #open: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  send = async (records: string[]): Promise<string[]> => {
    this.batches.push(records);
    await new Promise<void>((resolve, reject) => this.#open.push({ resolve, reject }));
    this.stored.push(...records);
    return records.map((record) => `place of ${record}`);
  };

  async acknowledge(): Promise<void> {
    this.#open.shift()?.resolve();
    await tick();
  }

  async fail(): Promise<void> {
    this.#open.shift()?.reject(new LogUnavailable("no acknowledgement"));
    await tick();
  }
}

const bytesOf = (record: string): number => record.length;

describe("group commit", () => {
  it("tells every waiter of a failed batch, after what had to follow and before the next batch", async () => {
    const log = new FakeLog();
    const order: string[] = [];
    const commit = new GroupCommit({
      send: log.send,
      bytesOf,
      onFailure: () => void order.push(`failure after ${log.batches.length} batch`),
    });
    const failing = ["a", "b"].map((name) =>
      commit.append(() => [name]).catch(() => order.push(`${name} told`)),
    );
    await tick();
    const later = commit.append(() => ["c"]);
    await log.fail();
    await Promise.all(failing);
    await log.acknowledge();
    expect(await later).toEqual(["place of c"]);
    expect(order).toEqual(["failure after 1 batch", "a told", "b told"]);
    expect(log.stored).toEqual(["c"]);
  });

  it("answers its waiters even where what follows a failure fails itself", async () => {
    const log = new FakeLog();
    const commit = new GroupCommit({
      send: log.send,
      bytesOf,
      onFailure: () => Promise.reject(new Error("listener")),
    });
    const append = commit.append(() => ["a"]);
    append.catch(() => undefined);
    await tick();
    await log.fail();
    await expect(append).rejects.toThrow(LogUnavailable);
    const next = commit.append(() => ["b"]);
    await tick();
    await log.acknowledge();
    expect(await next).toEqual(["place of b"]);
  });

  it("refuses a record that can never be sent, alone, and goes on", async () => {
    const log = new FakeLog();
    const failures: unknown[] = [];
    const commit = new GroupCommit({
      send: log.send,
      bytesOf,
      onFailure: (error) => void failures.push(error),
    });
    const large = commit.append(() => ["x".repeat(recordBytesMax)]);
    large.catch(() => undefined);
    const small = commit.append(() => ["s"]);
    await expect(large).rejects.toThrow(RecordTooLarge);
    await tick();
    await log.acknowledge();
    expect(await small).toEqual(["place of s"]);
    expect(failures).toHaveLength(1);
  });

  it("refuses more than it can hold, at once", async () => {
    const log = new FakeLog();
    const commit = new GroupCommit({ send: log.send, bytesOf });
    const held = Array.from({ length: 20_000 }, (_, n) => commit.append(() => [`${n}`]));
    for (const append of held) append.catch(() => undefined);
    await expect(commit.append(() => ["one more"])).rejects.toThrow("Too many records");
  });

  it("refuses what comes after the close, and what waited behind a batch that failed", async () => {
    const log = new FakeLog();
    const commit = new GroupCommit({ send: log.send, bytesOf });
    const first = commit.append(() => ["a"]);
    first.catch(() => undefined);
    await tick();
    const second = commit.append(() => ["b"]);
    second.catch(() => undefined);
    const closed = commit.close();
    await expect(commit.append(() => ["c"])).rejects.toThrow("stopping");
    await log.fail();
    await closed;
    await expect(second).rejects.toThrow("stopping");
    expect(log.batches).toEqual([["a"]]);
  });

  it("rejects the append whose record cannot be made, and no other", async () => {
    const log = new FakeLog();
    const commit = new GroupCommit({ send: log.send, bytesOf });
    const broken = commit.append(() => {
      throw new TypeError("cannot be made");
    });
    broken.catch(() => undefined);
    const sound = commit.append(() => ["a"]);
    await expect(broken).rejects.toThrow("cannot be made");
    await log.acknowledge();
    expect(await sound).toEqual(["place of a"]);
  });

  it("resolves an append of nothing", async () => {
    const commit = new GroupCommit<string, string>({ send: new FakeLog().send, bytesOf });
    expect(await commit.append(() => [])).toEqual([]);
  });

  it("sends what arrived during a send as one next batch", async () => {
    const log = new FakeLog();
    const commit = new GroupCommit({ send: log.send, bytesOf });
    const appends = [commit.append(() => ["a"])];
    await tick();
    appends.push(
      commit.append(() => ["b", "c"]),
      commit.append(() => ["d"]),
    );
    await log.acknowledge();
    await log.acknowledge();
    expect(await Promise.all(appends)).toEqual([
      ["place of a"],
      ["place of b", "place of c"],
      ["place of d"],
    ]);
    expect(log.batches).toEqual([["a"], ["b", "c", "d"]]);
  });

  it("never puts more into a batch than the broker takes, unless one append alone is more", async () => {
    const half = "x".repeat(recordBytesMax / 2);
    const sizes: number[] = [];
    const commit = new GroupCommit<string, number>({
      send: (records) => {
        sizes.push(records.join("").length);
        return Promise.resolve(records.map(() => 0));
      },
      bytesOf,
    });
    await Promise.all(Array.from({ length: 5 }, () => commit.append(() => [half])));
    expect(sizes).toEqual(Array.from({ length: 5 }, () => half.length));
  });

  it("numbers records without a gap within an epoch, whichever batches fail and wherever they are cut", async () => {
    const large = recordBytesMax / 3;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ count: fc.integer({ min: 1, max: 3 }), large: fc.boolean() }), {
          maxLength: 30,
        }),
        fc.infiniteStream(fc.boolean()),
        async (appends, fails) => {
          const stored: { epoch: number; seq: number }[] = [];
          let epoch = 0;
          let seq = 0;
          const commit = new GroupCommit<{ epoch: number; seq: number; bytes: number }, { seq: number }>({
            send: async (records) => {
              await Promise.resolve();
              if (fails.next().value) throw new LogUnavailable("no acknowledgement");
              stored.push(...records.map(({ epoch, seq }) => ({ epoch, seq })));
              return records;
            },
            bytesOf: ({ bytes }) => bytes,
            onFailure: () => {
              epoch += 1;
              seq = 0;
            },
          });
          const settled = await Promise.allSettled(
            appends.map(({ count, large: isLarge }) =>
              commit.append(() =>
                Array.from({ length: count }, () => ({
                  epoch,
                  seq: seq++,
                  bytes: isLarge ? large / count : 1,
                })),
              ),
            ),
          );
          let expected = { epoch: -1, seq: 0 };
          for (const record of stored) {
            expected = record.epoch === expected.epoch ? expected : { epoch: record.epoch, seq: 0 };
            expect(record).toEqual(expected);
            expected = { epoch: record.epoch, seq: record.seq + 1 };
          }
          const acknowledged = settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
          expect(acknowledged).toHaveLength(stored.length);
        },
      ),
    );
  });
});
