/**
 * `npm run bench`: what standing in the way costs, in one run and on the same work. Every figure is a ratio to calling
 * the fixture server directly. `--only NAME,NAME` and `--calls N` shorten it.
 */
import { execFile } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { serviceNames } from "@countersign/contracts";
import type { Suite } from "@countersign/local";
import { contestants, installOthers, type Running, startFixture } from "./contestants.ts";
import { handshake } from "./handshake.ts";
import type { Load, LoadResult } from "./load.ts";
import { acknowledgementMs, untilFollowed } from "./log.ts";
import { usageOf } from "./processes.ts";

const { values } = parseArgs({
  options: { only: { type: "string" }, calls: { type: "string", default: "1" } },
});
const scale = Number(values.calls);

interface Payload {
  readonly name: string;
  readonly args: Record<string, number>;
  readonly calls: number;
}

const payloads: readonly Payload[] = [
  { name: "1 KB", args: { bytes: 1_024 }, calls: 2_000 },
  { name: "64 KB", args: { bytes: 65_536 }, calls: 600 },
  { name: "1 MB", args: { bytes: 1_048_576 }, calls: 60 },
  { name: "stream of 100", args: { bytes: 1_024, messages: 100 }, calls: 100 },
];
const concurrencies = [1, 16, 32];

interface Row extends LoadResult {
  readonly contestant: string;
  readonly payload: string;
  readonly concurrency: number;
  readonly cpuMsPerCall: number;
  readonly memoryMiB: number;
}

const run = promisify(execFile);

async function measure(
  running: Running,
  load: Load,
): Promise<LoadResult & { cpuMsPerCall: number; memoryMiB: number }> {
  const before = usageOf(running.pids);
  const { stdout } = await run(
    process.execPath,
    [join(import.meta.dirname, "load.ts"), JSON.stringify(load)],
    {
      timeout: 300_000,
    },
  );
  const after = usageOf(running.pids);
  const result = JSON.parse(stdout) as LoadResult;
  const calls = load.calls + load.warmup;
  return {
    ...result,
    cpuMsPerCall: ((after.cpuSeconds - before.cpuSeconds) * 1_000) / calls,
    memoryMiB: after.memoryMiB,
  };
}

/** Every program compiles its hot paths first; the work is the same for all. */
const warmUp: Load = {
  url: "",
  headers: {},
  concurrency: 8,
  calls: 2_000,
  warmup: 0,
  args: [{ bytes: 1_024 }],
  expects: "Order 48210",
};

const rowOf = (contestant: string, concurrency: number): Row | undefined =>
  rows.find(
    (row) => row.contestant === contestant && row.payload === "1 KB" && row.concurrency === concurrency,
  );

/** What one call may add: its two acknowledgements, which no proxy that keeps evidence can do without, and 1 ms. */
function targetsOf(before: number, after: number): string[] {
  const added = (rowOf("Countersign", 1)?.p50Ms ?? NaN) - (rowOf("direct", 1)?.p50Ms ?? NaN);
  const acknowledged = (before + after) / 2;
  return [
    `One acknowledgement by Kafka of one record at a time: ${before.toFixed(2)} ms before the calls, ${after.toFixed(2)} ms after (p50).`,
    `Added to a call of 1 KB by one caller: ${added.toFixed(2)} ms (p50); two acknowledgements and 1 ms are ${(2 * acknowledged + 1).toFixed(2)} ms.`,
  ];
}

function throughputOver(other: string): string[] {
  const [own, theirs] = [rowOf("Countersign", 32), rowOf(other, 32)];
  if (!own || !theirs) return [];
  return [
    `Calls of 1 KB by 32 callers: ${(own.callsPerSecond / theirs.callsPerSecond).toFixed(2)} × those through ${other}.`,
  ];
}

/** CPU time so far of each part of Countersign, and of what it stands on. */
const cpuByPart = (suite: Suite): Map<string, number> =>
  new Map(
    [...serviceNames, "kafka" as const, "postgres" as const].map((name) => [
      name,
      usageOf([suite.service(name).pid]).cpuSeconds,
    ]),
  );

/** Where the processors' time goes, followers included: a call costs more than its proxy. */
function cpuNote(suite: Suite, before: ReadonlyMap<string, number>, calls: number): string {
  const parts = [...cpuByPart(suite)].map(
    ([name, seconds]) => `${name} ${(((seconds - (before.get(name) ?? 0)) * 1_000) / calls).toFixed(2)}`,
  );
  return `CPU of one call of 1 KB by 32 callers, in ms, with all that follows: ${parts.join(", ")}.`;
}

const rows: Row[] = [];
const notes: string[] = [];
const fixture = await startFixture();
try {
  installOthers();
  for (const { name, start } of contestants) {
    if (values.only && !["direct", ...values.only.split(",")].includes(name)) continue;
    process.stderr.write(`${name}\n`);
    let running: Running | undefined;
    try {
      running = await start(fixture.url);
      const headers = await handshake(running);
      await measure(running, { ...warmUp, url: running.url, headers });
      const { suite } = running;
      const acknowledged = suite && (await acknowledgementMs(suite));
      for (const payload of payloads) {
        for (const concurrency of concurrencies) {
          const calls = Math.max(
            concurrency * 2,
            Math.ceil(payload.calls * scale * (concurrency === 1 ? 0.5 : 1)),
          );
          const load = {
            url: running.url,
            headers,
            concurrency,
            calls,
            warmup: Math.max(concurrency, Math.ceil(calls / 10)),
            args: [payload.args],
            expects: "Order 48210",
          };
          const cell = { contestant: name, payload: payload.name, concurrency };
          const cpu = suite && payload.name === "1 KB" && concurrency === 32 ? cpuByPart(suite) : undefined;
          // One that breaks on some work still shows what it does on the rest.
          await measure(running, load).then(
            (result) => rows.push({ ...cell, ...result }),
            () => process.stderr.write(`  failed at ${payload.name}, ${concurrency} callers\n`),
          );
          if (suite && cpu) {
            const seconds = (await untilFollowed(suite)) / 1_000;
            notes.push(cpuNote(suite, cpu, load.calls + load.warmup));
            notes.push(`Whoever follows the record had read all of it ${seconds.toFixed(1)} s after that.`);
          }
        }
      }
      if (suite && acknowledged !== undefined) {
        await untilFollowed(suite);
        notes.push(...targetsOf(acknowledged, await acknowledgementMs(suite)));
      }
    } catch (error) {
      process.stderr.write(`  left out: ${error instanceof Error ? error.message : String(error)}\n`);
    } finally {
      await running?.stop();
    }
  }
} finally {
  fixture.stop();
}

const ratio = (value: number, base: number): string => (base > 0 ? `${(value / base).toFixed(2)}×` : "–");
const processor = cpus()[0]?.model ?? "unknown";
notes.push(...["mcp-proxy", "@fiberplane/mcp-gateway"].flatMap(throughputOver));
const lines = [
  `Machine: ${cpus().length} × ${processor}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}. One closed loop per caller; ratios to direct.`,
  "",
  "| payload | callers | through | calls/s | ratio | p50 ms | ratio | p99 ms | ratio | CPU ms/call | MiB | failed |",
  "| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
  ...rows.map((row) => {
    const base = rows.find(
      ({ contestant, payload, concurrency }) =>
        contestant === "direct" && payload === row.payload && concurrency === row.concurrency,
    );
    return `| ${[
      row.payload,
      row.concurrency,
      row.contestant,
      row.callsPerSecond.toFixed(0),
      ratio(row.callsPerSecond, base?.callsPerSecond ?? 0),
      row.p50Ms.toFixed(2),
      ratio(row.p50Ms, base?.p50Ms ?? 0),
      row.p99Ms.toFixed(2),
      ratio(row.p99Ms, base?.p99Ms ?? 0),
      row.cpuMsPerCall.toFixed(2),
      row.memoryMiB.toFixed(0),
      row.failed,
    ].join(" | ")} |`;
  }),
];
process.stdout.write(`${[...lines, "", ...notes].join("\n")}\n`);
