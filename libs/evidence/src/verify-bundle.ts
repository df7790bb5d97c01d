import { createHash, verify } from "node:crypto";
import { CountersignError } from "@countersign/contracts";
import { fromBase64 } from "./base64.js";
import {
  type BundleEnd,
  type BundleHeader,
  type BundleLine,
  bundleLineBytesMax,
  signedEnd,
} from "./bundle.js";
import { isBundleLine, isEnd, isHeader, parseCanonical } from "./bundle-shape.js";
import { type Checkpoint, openCheckpoint } from "./checkpoint.js";
import { parseVerifierKey } from "./checkpoint-key.js";
import { leafHash } from "./hashes.js";
import { leafOf, verifyPayloads, withheldPayloads } from "./leaf.js";
import { verifyInclusion } from "./verify-proofs.js";

/** Past this many, verification stops: the bundle is not proven, and one more line says no more. */
export const bundleProblemsMax = 1000;

export interface BundleProblem {
  /** Counted from 1. */
  readonly line: number;
  /** The record's place in the log, where the line tells it. */
  readonly index?: number;
  readonly code: string;
  readonly message: string;
}

export interface BundleReport {
  /** Nothing at all was found to be wrong. It proves as much as the key does: see `keyTrusted`. */
  readonly ok: boolean;
  /** Records that were proven, each by itself. */
  readonly records: number;
  /** Texts of theirs that the exporter kept back, as its signature under the bundle vouches. */
  readonly withheld: number;
  readonly treeSize?: number;
  readonly origin?: string;
  /** The reader brought the key. If not, the bundle vouches for itself with a self-asserted key. */
  readonly keyTrusted: boolean;
  readonly verifierKey?: string;
  readonly exportedAt?: string;
  readonly query?: unknown;
  readonly problems: readonly BundleProblem[];
}

/**
 * Verifies an evidence bundle with nothing but its lines (see `bundleLines`) and, where the reader has it, the log's
 * verifier key. Reads one line at a time. Only a malformed key of the reader's throws (`CheckpointRefused`); whatever
 * is wrong with the bundle is in the report.
 */
export async function verifyBundle(
  lines: AsyncIterable<string> | Iterable<string>,
  options: { readonly verifierKey?: string } = {},
): Promise<BundleReport> {
  if (options.verifierKey !== undefined) parseVerifierKey(options.verifierKey);
  const verification = new BundleVerification(options.verifierKey);
  try {
    for await (const line of lines) {
      verification.take(line);
      if (verification.isOver()) return verification.report();
    }
    verification.requireEnd();
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    verification.unreadable(error);
  }
  return verification.report();
}

class BundleVerification {
  private readonly readerKey: string | undefined;
  private readonly problems: BundleProblem[] = [];
  private readonly digest = createHash("sha256");
  private header: BundleHeader | undefined;
  private checkpoint: Checkpoint | undefined;
  private line = 0;
  private recordLines = 0;
  private proven = 0;
  private withheld = 0;
  private lastIndex = -1;
  private ended = false;

  constructor(readerKey: string | undefined) {
    this.readerKey = readerKey;
  }

  /** Without a checkpoint nothing further can be proven. */
  isOver(): boolean {
    return this.checkpoint === undefined || this.problems.length >= bundleProblemsMax;
  }

  take(line: string): void {
    this.line += 1;
    if (this.ended) return this.problem("line_after_end", "A line follows the signed end of the bundle.");
    if (line.length > bundleLineBytesMax) {
      return this.problem("line_too_long", `The line has more than ${bundleLineBytesMax} characters.`);
    }
    const value = parseCanonical(line);
    if (this.line > 1 && isEnd(value)) return this.takeEnd(value);
    this.digest.update(line).update("\n");
    if (this.line === 1) this.takeHeader(value);
    else this.takeRecord(value);
  }

  unreadable(error: CountersignError): void {
    this.line += 1;
    this.problem(error.code, error.message);
  }

  requireEnd(): void {
    if (this.ended) return;
    this.line += 1;
    this.problem(
      "end_missing",
      "The bundle ends without its signed end, so records may be missing. Export it again.",
    );
  }

  report(): BundleReport {
    const { header, checkpoint } = this;
    return {
      ok: this.problems.length === 0,
      records: this.proven,
      withheld: this.withheld,
      keyTrusted: this.readerKey !== undefined && checkpoint !== undefined,
      ...(checkpoint === undefined ? {} : { treeSize: checkpoint.size, origin: checkpoint.origin }),
      ...(header === undefined
        ? {}
        : { verifierKey: header.verifierKey, exportedAt: header.exportedAt, query: header.query }),
      problems: this.problems,
    };
  }

  private takeHeader(value: unknown): void {
    if (value === undefined) return this.notCanonical();
    if (!isHeader(value)) {
      return this.problem(
        "header_malformed",
        "The first line is not the header of a version 1 evidence bundle.",
      );
    }
    this.header = value;
    if (this.readerKey !== undefined && this.readerKey !== value.verifierKey) {
      return this.problem("key_differs", "The bundle names another verifier key than the one you brought.");
    }
    try {
      this.checkpoint = openCheckpoint(value.checkpoint, value.verifierKey);
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      return this.problem(error.code, error.message);
    }
    if (this.checkpoint.origin !== value.origin) {
      this.problem("origin_differs", "The header names another log than its checkpoint.");
    }
  }

  private takeRecord(value: unknown): void {
    this.recordLines += 1;
    if (value === undefined) return this.notCanonical();
    if (!isBundleLine(value))
      return this.problem("record_malformed", "The line is not a record with its proof.");
    const { index } = value;
    const found = this.problems.length;
    if (index <= this.lastIndex) {
      this.problem("index_not_ascending", "The record stands twice, or out of the log's order.", index);
    }
    this.lastIndex = Math.max(index, this.lastIndex);
    try {
      const withheld = withheldPayloads(value.event);
      this.withheld += withheld.length;
      for (const pointer of verifyPayloads(value.event)) {
        if (withheld.includes(pointer)) continue;
        this.problem(
          "payload_changed",
          `The text at ${pointer} is not the text that its digest names.`,
          index,
        );
      }
      if (!this.includes(value)) {
        this.problem("not_included", "The proof does not lead from this record to the signed root.", index);
      }
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      this.problem(error.code, error.message, index);
    }
    if (this.problems.length === found) this.proven += 1;
  }

  private includes({ index, event, proof }: BundleLine): boolean {
    const hashes = proof.map(fromBase64).filter((hash) => hash !== undefined);
    if (this.checkpoint === undefined || hashes.length !== proof.length) return false;
    const { size, root } = this.checkpoint;
    return verifyInclusion({ index, size, leafHash: leafHash(leafOf(event)), proof: hashes, root });
  }

  private takeEnd({ signature, ...end }: BundleEnd): void {
    this.ended = true;
    if (end.records !== this.recordLines) {
      this.problem(
        "records_differ",
        `The bundle was signed with ${end.records} records and has ${this.recordLines}.`,
      );
    }
    if (end.sha256 !== this.digest.digest("hex")) {
      this.problem("bundle_changed", "A line before the end is not as it was when the bundle was signed.");
    }
    const bytes = fromBase64(signature);
    const key = this.header === undefined ? undefined : parseVerifierKey(this.header.verifierKey).publicKey;
    if (bytes === undefined || key === undefined || !verify(null, signedEnd(end), key, bytes)) {
      this.problem("end_signature_invalid", "The end of the bundle was not signed by the log's key.");
    }
  }

  private notCanonical(): void {
    this.problem(
      "not_canonical",
      "The line is not JSON as Countersign writes it: one spelling, nothing twice.",
    );
  }

  private problem(code: string, message: string, index?: number): void {
    this.problems.push({ line: this.line, ...(index === undefined ? {} : { index }), code, message });
  }
}
