import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { seeded } from "./matrix.js";
import { scanJson } from "./scan.js";
import { hostileText, SPEED_TEXTS } from "./speed-texts.js";

const SEED = 20261122;
const SIZES: readonly (readonly [string, number])[] = [
  ["1 KB", 1024],
  ["64 KB", 64 * 1024],
  ["1 MB", 1024 * 1024],
];
const ROUNDS = 15;
/** A round reads so much, and only sums of rounds count: the processor's clock goes in steps of milliseconds. */
const ROUND_UNITS = 32 * 1024 * 1024;

const options = { policy: BUILT_IN_POLICY };
const parse = (text: string) => void JSON.parse(text);
const scan = (text: string) => void scanJson(text, options);

/** Nanoseconds of this thread for one call, in one round: what else the machine does counts little. */
function time(run: (text: string) => void, text: string, calls = 1): number {
  const start = process.threadCpuUsage();
  for (let i = 0; i < calls; i++) run(text);
  const { user, system } = process.threadCpuUsage(start);
  return ((user + system) * 1000) / calls;
}

/** Sums of rounds that take turns, so that a busy machine slows both alike. */
function compare(text: string): { parsed: number; scanned: number; ratio: number } {
  const calls = Math.max(1, Math.floor(ROUND_UNITS / text.length));
  time(parse, text, calls);
  time(scan, text, calls);
  let parsed = 0;
  let scanned = 0;
  for (let round = 0; round < ROUNDS; round++) {
    parsed += time(parse, text, calls) / ROUNDS;
    scanned += time(scan, text, calls) / ROUNDS;
  }
  return { parsed, scanned, ratio: parsed / scanned };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function megabytes(text: string, nanoseconds: number): string {
  const rate = (text.length / nanoseconds) * 1000;
  return rate.toFixed(rate < 10 ? 1 : 0).padStart(12);
}

const MESSAGE_UNITS = 1024 * 1024;
const PROGRESS_EVERY = 500;
const SHOWN = 5;

interface Slow {
  seed: number;
  nanoseconds: number;
}

/** Seeks the slowest of `count` messages made to be slow, one to a seed, for so many minutes at the most. */
function worst(count: number, minutesMax: number, from: number): void {
  const end = performance.now() + minutesMax * 60_000;
  const times: number[] = [];
  let slowest: Slow[] = [];
  time(scan, hostileText(MESSAGE_UNITS, seeded(SEED)), 1);
  for (let seed = from; seed < from + count && performance.now() < end; seed++) {
    const nanoseconds = time(scan, hostileText(MESSAGE_UNITS, seeded(seed)));
    times.push(nanoseconds);
    slowest = [...slowest, { seed, nanoseconds }]
      .toSorted((a, b) => b.nanoseconds - a.nanoseconds)
      .slice(0, SHOWN);
    if (times.length % PROGRESS_EVERY === 0) write(summary(times, slowest));
  }
  write(summary(times, slowest));
  write("The slowest once more, beside JSON.parse and beside the same at twice the length:");
  for (const { seed } of slowest) {
    const text = hostileText(MESSAGE_UNITS, seeded(seed));
    const once = again(scan, text);
    const twice = again(scan, hostileText(2 * MESSAGE_UNITS, seeded(seed)));
    write(
      `seed ${seed}: ${milliseconds(once)}, ${Math.round(once / again(parse, text))} times JSON.parse; twice as ` +
        `long ${(twice / once).toFixed(1)} times that  ${text.slice(0, 60)}…`,
    );
  }
}

function again(run: (text: string) => void, text: string): number {
  const calls = run === parse ? 20 : 1;
  return median([time(run, text, calls), time(run, text, calls), time(run, text, calls)]);
}

function summary(times: readonly number[], [first]: readonly Slow[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => milliseconds(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return (
    `${times.length} messages of 1 MB made to be slow: median ${at(0.5)}, p99 ${at(0.99)}, ` +
    `worst ${at(1)} (seed ${first?.seed})`
  );
}

function milliseconds(nanoseconds: number): string {
  return `${(nanoseconds / 1e6).toFixed(1)} ms`;
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The processor's name as Node's own report has it. */
function machine(): string {
  const report = process.report.getReport() as { header?: { cpus?: { model?: string }[] } };
  const cpus = report.header?.cpus ?? [];
  return `${cpus.length} × ${cpus[0]?.model ?? process.arch}, Node.js ${process.version}`;
}

/** The number behind a flag. */
function flag(name: string): number | undefined {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : Number(process.argv[at + 1]);
}

const messages = flag("--worst");
write(machine());
if (messages !== undefined) worst(messages, flag("--minutes") ?? 60, flag("--from") ?? 0);
else {
  write(`${"".padEnd(20)}${["JSON.parse", "scanJson", "ratio"].map((name) => name.padStart(12)).join("")}`);
  for (const [kind, make] of Object.entries(SPEED_TEXTS)) {
    for (const [size, units] of SIZES) {
      const text = make(units, seeded(SEED));
      const { parsed, scanned, ratio } = compare(text);
      const rates = megabytes(text, parsed) + megabytes(text, scanned);
      write(`${`${kind}, ${size}`.padEnd(20)}${rates}${ratio.toFixed(2).padStart(12)}`);
    }
  }
  write(
    "MB/s of processor time, sums of rounds that take turns; the ratio is scanJson's speed by JSON.parse's.",
  );
}
