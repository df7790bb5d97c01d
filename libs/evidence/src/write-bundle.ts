import { createHash, sign, type KeyObject } from "node:crypto";
import type { EventMessage } from "@countersign/contracts";
import { toBase64 } from "./base64.js";
import { type BundleEnd, type BundleHeader, type BundleLine, signedEnd } from "./bundle.js";
import { canonicalJson } from "./canonical-json.js";
import { openCheckpoint } from "./checkpoint.js";
import { verifierKeyOf } from "./checkpoint-key.js";

export interface BundleExport {
  /** The signed note that every record is proven against. */
  readonly checkpoint: string;
  /** The key that signed it. */
  readonly privateKey: KeyObject;
  readonly keyName: string;
  readonly exportedAt: string;
  /** What was asked for, as JSON. */
  readonly query: unknown;
}

export interface BundleRecord {
  readonly index: number;
  readonly event: EventMessage;
  /** `inclusionProof(index, size of the checkpoint, …)`. */
  readonly proof: readonly Uint8Array[];
}

/**
 * The lines of a bundle, each with its line feed: header, records, end. `records` come in the order of the log and are
 * read one at a time. Throws `CheckpointRefused` where the key did not sign the checkpoint, before any line.
 */
export async function* writeBundle(
  { checkpoint, privateKey, keyName, exportedAt, query }: BundleExport,
  records: AsyncIterable<BundleRecord> | Iterable<BundleRecord>,
): AsyncGenerator<string> {
  const verifierKey = verifierKeyOf(privateKey, keyName);
  const { origin } = openCheckpoint(checkpoint, verifierKey);
  const digest = createHash("sha256");
  const lineOf = (value: BundleHeader | BundleLine): string => {
    const line = `${canonicalJson(value)}\n`;
    digest.update(line);
    return line;
  };

  yield lineOf({
    countersign: "evidence-bundle",
    version: 1,
    origin,
    exportedAt,
    query,
    checkpoint,
    verifierKey,
  });
  let written = 0;
  for await (const { index, event, proof } of records) {
    yield lineOf({ index, event, proof: proof.map(toBase64) });
    written += 1;
  }
  const unsigned = {
    countersign: "evidence-bundle-end",
    records: written,
    sha256: digest.digest("hex"),
  } as const;
  const end: BundleEnd = { ...unsigned, signature: toBase64(sign(null, signedEnd(unsigned), privateKey)) };
  yield `${canonicalJson(end)}\n`;
}
