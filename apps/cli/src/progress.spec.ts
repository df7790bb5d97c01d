import { describe, expect, it } from "vitest";
import { withProgress } from "./progress.js";

const mebibyte = Buffer.alloc(2 ** 20);

async function told(chunkEveryMs: number, bytes?: number): Promise<string[]> {
  const lines: string[] = [];
  let clock = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let count = 0; count < 4; count += 1) {
      clock += chunkEveryMs;
      yield await Promise.resolve(mebibyte);
    }
  }
  const progress = withProgress(
    chunks(),
    { name: "dump.sql", bytes },
    (line) => lines.push(line),
    () => clock,
  );
  let read = 0;
  for await (const chunk of progress) read += chunk.byteLength;
  expect(read).toBe(4 * mebibyte.byteLength);
  return lines;
}

describe("the progress of a long input", () => {
  it("is told about once a second, with the whole where it is known", async () => {
    expect(await told(600, 4 * 2 ** 20)).toEqual([
      "dump.sql: 2.0 of 4.0 MiB read",
      "dump.sql: 4.0 of 4.0 MiB read",
    ]);
  });

  it("says what was read where nobody knows how much will come", async () => {
    expect(await told(1_000)).toEqual([
      "dump.sql: 1.0 MiB read",
      "dump.sql: 2.0 MiB read",
      "dump.sql: 3.0 MiB read",
      "dump.sql: 4.0 MiB read",
    ]);
  });

  it("is not told of an input that is read at once", async () => {
    expect(await told(100)).toEqual([]);
  });
});
