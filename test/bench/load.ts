/**
 * One closed loop of calls: `concurrency` callers, each sending its next call when the last is answered in whole. Run as
 * a process of its own, so that its work is not counted as anybody else's:
 * `node test/bench/load.ts '{"url":…,"headers":{},"concurrency":1,"calls":100,"args":[{}]}'`
 */
import { Agent, request } from "undici";

export interface Load {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly concurrency: number;
  readonly calls: number;
  readonly warmup: number;
  /** The arguments of the calls, taken in turn. */
  readonly args: readonly Record<string, number>[];
  /** What an answer must contain, so that an error is not taken for a fast answer. */
  readonly expects: string;
}

export interface LoadResult {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

const msMax = 120_000;

async function run(load: Load): Promise<LoadResult> {
  const dispatcher = new Agent({
    connections: load.concurrency,
    pipelining: 1,
    headersTimeout: 30_000,
    bodyTimeout: 30_000,
  });
  let id = 0;
  let failed = 0;
  const latencies: number[] = [];
  const call = async (counted: boolean): Promise<void> => {
    id += 1;
    const params = { name: "read", arguments: load.args[id % load.args.length] };
    const startedAt = performance.now();
    const answer = await request(load.url, {
      dispatcher,
      method: "POST",
      headers: {
        ...load.headers,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200 || !text.includes(load.expects)) failed += 1;
    if (counted) latencies.push(performance.now() - startedAt);
  };
  const loop = async (calls: number, counted: boolean): Promise<void> => {
    let left = calls;
    const deadline = Date.now() + msMax;
    await Promise.all(
      Array.from({ length: load.concurrency }, async () => {
        while (left > 0 && Date.now() < deadline) {
          left -= 1;
          await call(counted);
        }
      }),
    );
  };
  await loop(load.warmup, false);
  const startedAt = performance.now();
  await loop(load.calls, true);
  const seconds = (performance.now() - startedAt) / 1_000;
  await dispatcher.close();
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { callsPerSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), failed };
}

process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "") as Load)));
