import { open, readFile } from "node:fs/promises";
import { CountersignError } from "@countersign/contracts";
import { type BundleReport, bundleLines, canonicalJson, verifyBundle } from "@countersign/evidence";
import { Command } from "commander";
import { printable } from "../printable.js";

export interface VerifyOptions {
  /** A verifier key, or a file that holds one. */
  readonly key?: string;
}

type Chunks = AsyncIterable<Uint8Array>;

export const verifyCommand = (): Command =>
  new Command("verify")
    .description("Verify an evidence bundle, with no network and no database.")
    .argument("<file>", "the bundle, or - for standard input")
    .option(
      "--key <key>",
      "the log's verifier key, or a file that holds it; got from elsewhere than the bundle",
    )
    .addHelpText(
      "after",
      "\nExits with 0 if the bundle is proven, 1 if it is not, 2 if it could not be read.",
    )
    .action(async (file: string, options: VerifyOptions) => {
      const { text, exitCode } = await verifyEvidence(file, options, process.stdin);
      process.stdout.write(text);
      process.exitCode = exitCode;
    });

/** Throws a `CountersignError` where the file or the key cannot be read: then nothing is known of the bundle. */
export async function verifyEvidence(
  file: string,
  options: VerifyOptions,
  stdin: Chunks,
): Promise<{ readonly text: string; readonly exitCode: 0 | 1 }> {
  const verifierKey = options.key === undefined ? undefined : await readKey(options.key);
  const verify = (chunks: Chunks): Promise<BundleReport> =>
    verifyBundle(bundleLines(chunks), verifierKey === undefined ? {} : { verifierKey });
  const report = file === "-" ? await verify(stdin) : await withFile(file, verify);
  return { text: describe(report), exitCode: report.ok ? 0 : 1 };
}

async function withFile(
  file: string,
  verify: (chunks: Chunks) => Promise<BundleReport>,
): Promise<BundleReport> {
  try {
    await using handle = await open(file);
    return await verify(handle.createReadStream({ autoClose: false }));
  } catch (error) {
    throw unlessSystemError(
      error,
      "bundle_unreadable",
      `${file} cannot be read. Name a file, or - for standard input.`,
    );
  }
}

async function readKey(key: string): Promise<string> {
  if (/^[^+]+\+[0-9a-f]{8}\+/.test(key)) return key;
  try {
    return (await readFile(key, "utf8")).trim();
  } catch (error) {
    throw unlessSystemError(
      error,
      "key_unreadable",
      `${key} is neither a verifier key (<name>+<hash>+<key>) nor a file that can be read.`,
    );
  }
}

/** Only what the operating system refused is the caller's to put right; anything else is passed on as it is. */
const unlessSystemError = (error: unknown, code: string, message: string): unknown =>
  error instanceof Error && "syscall" in error
    ? new CountersignError(code, message, { cause: error })
    : error;

function describe(report: BundleReport): string {
  const lines = [
    report.ok
      ? `PROVEN: ${counted(report.records, "record")}, each in the log and as it was recorded`
      : `NOT PROVEN: ${counted(report.problems.length, "problem")}`,
    ...(report.withheld === 0
      ? []
      : [
          `withheld: ${counted(report.withheld, "text")}, in which card data was found after they were recorded`,
        ]),
    ...report.problems.map(
      ({ line, index, code, message }) =>
        `  line ${line}${index === undefined ? "" : `, record ${index}`}: ${message} (${code})`,
    ),
    ...(report.origin === undefined
      ? []
      : [`log:      ${report.origin}, ${counted(report.treeSize ?? 0, "record")} at its signed checkpoint`]),
    ...(report.exportedAt === undefined ? [] : [`exported: ${report.exportedAt}`]),
    ...(report.query === undefined ? [] : [`query:    ${canonicalJson(report.query)}`]),
    ...(report.verifierKey === undefined
      ? []
      : [`key:      ${report.verifierKey}`, `          ${trustOf(report)}`]),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

const trustOf = (report: BundleReport): string =>
  report.keyTrusted
    ? "It is the key that you brought."
    : "It is self-asserted: the bundle brought it. Compare it with the one that the log's operator publishes, or pass that one with --key.";

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
