/**
 * `npm run bench:soak`: whether the proxy's memory stays flat over many calls of mixed sizes. Fails where it does not:
 * `--calls N` (100,000 unless told).
 */
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { countersign, startFixture } from "./contestants.ts";
import { handshake } from "./handshake.ts";
import type { Load, LoadResult } from "./load.ts";
import { usageOf } from "./processes.ts";

const run = promisify(execFile);
const { values } = parseArgs({ options: { calls: { type: "string", default: "100000" } } });
const memoryMiBMax = 300;
const growthMax = 1.1;
const slices = 20;
/** Of a hundred calls, so many are of this kind; they come mixed. */
const kinds: readonly { share: number; args: Record<string, number> }[] = [
  { share: 94, args: { bytes: 1_024 } },
  { share: 5, args: { bytes: 65_536 } },
  { share: 1, args: { bytes: 1_024, messages: 100 } },
];
const mix = kinds
  .flatMap(({ share, args }) =>
    Array.from({ length: share }, (_, nth) => ({ at: (nth + 0.5) / share, args })),
  )
  .toSorted((one, other) => one.at - other.at)
  .map(({ args }) => args);

const callsPerSlice = Math.ceil(Number(values.calls) / slices);
const memory: number[] = [];
let failed = 0;
const fixture = await startFixture();
try {
  const running = await countersign.start(fixture.url);
  try {
    const headers = await handshake(running);
    for (let slice = 1; slice <= slices; slice += 1) {
      const load: Load = {
        url: running.url,
        headers,
        concurrency: 32,
        calls: callsPerSlice,
        warmup: 0,
        args: mix,
        expects: "Order 48210",
      };
      const program = [join(import.meta.dirname, "load.ts"), JSON.stringify(load)];
      const { stdout } = await run(process.execPath, program, { timeout: 600_000 });
      failed += (JSON.parse(stdout) as LoadResult).failed;
      const { memoryMiB } = usageOf(running.pids);
      memory.push(memoryMiB);
      process.stdout.write(`${slice * callsPerSlice} calls: ${memoryMiB.toFixed(0)} MiB\n`);
    }
  } finally {
    await running.stop();
  }
} finally {
  fixture.stop();
}

const quarter = slices / 4;
const most = (of: readonly number[]): number => Math.max(...of);
// The first quarter is the start: code is being compiled and pools are being filled.
const [early, late] = [most(memory.slice(quarter, 2 * quarter)), most(memory.slice(-quarter))];
const holds = failed === 0 && late <= early * growthMax && most(memory) <= memoryMiBMax;
process.stdout.write(
  `${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.version}: ${failed} failed, most ${most(memory).toFixed(0)} MiB ` +
    `(at most ${memoryMiBMax}), last quarter ${(late / early).toFixed(2)} of the second (at most ${growthMax}): ` +
    `${holds ? "holds" : "does not hold"}\n`,
);
process.exitCode = holds ? 0 : 1;
