import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { once } from "node:events";
import type { Writable } from "node:stream";
import type { ScanResult } from "@countersign/card-data";
import { BUILT_IN_POLICY, JsonRefused, maskStream, scanJson } from "@countersign/card-data";
import { CountersignError, type Finding } from "@countersign/contracts";
import { Command, Option } from "commander";
import { decodeText } from "../decode-text.js";
import { printable } from "../printable.js";
import { withProgress } from "../progress.js";

export interface MaskOptions {
  readonly json?: boolean;
  readonly text?: boolean;
  readonly report?: boolean;
  readonly progress?: boolean;
}

type Chunks = AsyncIterable<Uint8Array>;
type Write = (text: string) => Promise<void>;

/** JSON is held whole while it is masked; longer input is masked as text, step by step. */
const JSON_UNITS_MAX = 64 * 1024 * 1024;

const OPTIONS = { policy: BUILT_IN_POLICY };

export const maskCommand = (): Command =>
  new Command("mask")
    .description("Mask card data in text or JSON, and write the rest as it is.")
    .argument("[files...]", "files, or - for standard input")
    .addOption(new Option("--json", "refuse what is not JSON").conflicts("text"))
    .addOption(new Option("--text", "read JSON as text too").conflicts("json"))
    .option("--report", "write what was found, one JSON object a line, and nothing of the input")
    .option("--progress", "tell on standard error how far a long input was read (so at a terminal)")
    .option("--no-progress", "do not tell it")
    .addHelpText("after", "\nExits with 2 if the input could not be read, or is no JSON with --json.")
    .action(async (files: string[], options: MaskOptions) => {
      const progress = options.progress ?? process.stderr.isTTY;
      for (const file of files.length === 0 ? ["-"] : files) {
        const input = file === "-" ? process.stdin : readFile(file);
        await mask(progress ? await told(file, input) : input, options, writerTo(process.stdout));
      }
    });

async function told(file: string, input: Chunks): Promise<Chunks> {
  const name = file === "-" ? "standard input" : printable(file);
  // What cannot be asked for its size, as a pipe, is read all the same, and says what is wrong with it.
  const found = file === "-" ? undefined : await stat(file).catch(() => undefined);
  const bytes = found?.isFile() ? found.size : undefined;
  return withProgress(input, { name, bytes }, (line) => process.stderr.write(`${line}\n`));
}

/** Masks one input. Throws a `CountersignError` where it cannot be read as what it is said to be. */
export async function mask(input: Chunks, options: MaskOptions, write: Write): Promise<void> {
  const text = decodeText(input);
  if (options.text) return maskText(text, options, write);

  const read: string[] = [];
  let units = 0;
  let next = await text.next();
  for (; !next.done; next = await text.next()) {
    read.push(next.value);
    units += next.value.length;
    if (units > JSON_UNITS_MAX || (!options.json && !beginsLikeJson(read))) break;
  }
  if (!next.done && options.json) {
    throw new CountersignError(
      "input_too_long",
      "The JSON is too long to be masked whole. Mask it with --text.",
    );
  }
  const whole = next.done ? maskWhole(read.join(""), options.json ?? false) : undefined;
  if (whole) return give(options, write, whole.masked, whole.findings);
  return maskText(andThen(read, text), options, write);
}

/** Nothing where the text is no JSON and need not be. A lone number or word is text unless JSON is asked for. */
function maskWhole(text: string, mustBeJson: boolean): ScanResult | undefined {
  if (!mustBeJson && !beginsLikeJson([text])) return undefined;
  try {
    return scanJson(text, OPTIONS);
  } catch (error) {
    if (error instanceof JsonRefused && !mustBeJson) return undefined;
    throw error;
  }
}

async function maskText(text: AsyncIterable<string>, options: MaskOptions, write: Write): Promise<void> {
  for await (const { masked, findings } of maskStream(text, OPTIONS))
    await give(options, write, masked, findings);
}

async function give(
  { report }: MaskOptions,
  write: Write,
  masked: string,
  findings: readonly Finding[],
): Promise<void> {
  const output = report ? findings.map(reportLine).join("") : masked;
  if (output !== "") await write(output);
}

/** Where something was found and what it is, without a digit of it. */
function reportLine({ kind, brand, path, start, end, rule }: Finding): string {
  return `${JSON.stringify({ kind, brand, path, start, end, rule })}\n`;
}

function beginsLikeJson(chunks: readonly string[]): boolean {
  const first = chunks.find((chunk) => /\S/.test(chunk));
  return first === undefined || /^\s*[[{]/.test(first);
}

async function* andThen(read: readonly string[], rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield* read;
  yield* rest;
}

async function* readFile(file: string): Chunks {
  try {
    yield* createReadStream(file) as Chunks;
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    const message = `${file} cannot be read. Name a file, or - for standard input.`;
    throw new CountersignError("input_unreadable", message, { cause: error });
  }
}

function writerTo(stream: Writable): Write {
  return async (text) => {
    if (!stream.write(text)) await once(stream, "drain");
  };
}
