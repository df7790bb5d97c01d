/**
 * `npm run bench`: what standing in the way costs, in one run and on the same work. Every figure is a ratio to calling
 * the fixture server directly. `--only NAME,NAME` and `--calls N` shorten it.
 */
import { execFile } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { contestants, installOthers, type Running, startFixture } from "./contestants.ts";
import type { Load, LoadResult } from "./load.ts";
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

/** The legacy handshake; answers the headers that later calls carry. */
async function handshake({ url, headers }: Running): Promise<Record<string, string>> {
  const post = (body: unknown, more: Record<string, string> = {}): Promise<Response> =>
    fetch(url, {
      method: "POST",
      headers: {
        ...headers,
        ...more,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify(body),
    });
  const params = {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "bench", version: "1" },
  };
  const answer = await post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
  if (!answer.ok) throw new Error(`initialize: HTTP ${answer.status} ${(await answer.text()).slice(0, 300)}`);
  await answer.text();
  const sessionId = answer.headers.get("mcp-session-id");
  const session = {
    "mcp-protocol-version": "2025-06-18",
    ...(sessionId ? { "mcp-session-id": sessionId } : {}),
  };
  await (await post({ jsonrpc: "2.0", method: "notifications/initialized" }, session)).text();
  return { ...headers, ...session };
}

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

const rows: Row[] = [];
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
            args: payload.args,
            expects: "Order 48210",
          };
          const cell = { contestant: name, payload: payload.name, concurrency };
          // One that breaks on some work still shows what it does on the rest.
          await measure(running, load).then(
            (result) => rows.push({ ...cell, ...result }),
            () => process.stderr.write(`  failed at ${payload.name}, ${concurrency} callers\n`),
          );
        }
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
process.stdout.write(`${lines.join("\n")}\n`);
