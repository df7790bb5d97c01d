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
const ROUNDS = 21;
/** A round reads so much, so that the clock's steps do not show. */
const ROUND_UNITS = 4 * 1024 * 1024;

const options = { policy: BUILT_IN_POLICY };
const parse = (text: string) => void JSON.parse(text);
const scan = (text: string) => void scanJson(text, options);

/** Nanoseconds for one call, in one round. */
function time(run: (text: string) => void, text: string, calls: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) run(text);
  return Number(process.hrtime.bigint() - start) / calls;
}

/** Medians of rounds that take turns, so that a busy machine slows both. */
function compare(text: string): { parsed: number; scanned: number; ratio: number } {
  const calls = Math.max(1, Math.floor(ROUND_UNITS / text.length));
  time(parse, text, calls);
  time(scan, text, calls);
  const parsed: number[] = [];
  const scanned: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const one = time(parse, text, calls);
    const other = time(scan, text, calls);
    parsed.push(one);
    scanned.push(other);
    ratios.push(one / other);
  }
  return { parsed: median(parsed), scanned: median(scanned), ratio: median(ratios) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function megabytes(text: string, nanoseconds: number): string {
  const rate = (text.length / nanoseconds) * 1000;
  return rate.toFixed(rate < 10 ? 1 : 0).padStart(12);
}

function worst(count: number): void {
  const random = seeded(SEED);
  const slowest = Array.from({ length: count }, (_, i) => {
    const text = hostileText(SIZES[2]![1], random);
    return { i, text, seconds: time(scan, text, 1) / 1e9 };
  }).toSorted((a, b) => b.seconds - a.seconds);
  write(`Slowest of ${count} messages of 1 MB made to be slow (seed ${SEED}):`);
  for (const { i, text, seconds } of slowest.slice(0, 5)) {
    write(`#${i}  ${seconds.toFixed(2)} s ${megabytes(text, seconds * 1e9)} MB/s  ${text.slice(0, 60)}…`);
  }
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

const [flag, count] = process.argv.slice(2);
write(machine());
if (flag === "--worst") worst(Number(count ?? 100));
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
  write("MB/s, medians of rounds that take turns; the ratio is scanJson's speed by JSON.parse's.");
}
