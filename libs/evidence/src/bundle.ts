import { recordBytesMax, type EventMessage } from "@countersign/contracts";
import { canonicalJson } from "./canonical-json.js";

/** The first line: what was exported, and the signed head of the log that every record is proven against. */
export interface BundleHeader {
  readonly countersign: "evidence-bundle";
  readonly version: 1;
  readonly origin: string;
  readonly exportedAt: string;
  /** What was asked for, as JSON. */
  readonly query: unknown;
  /** C2SP signed note. */
  readonly checkpoint: string;
  /** The key that signed it, for a reader who has none of their own; a trusted one comes another way. */
  readonly verifierKey: string;
}

/** A line for each record, in the order of the log. */
export interface BundleLine {
  readonly index: number;
  readonly event: EventMessage;
  /** RFC 6962 inclusion proof; each hash in base64. */
  readonly proof: readonly string[];
}

/** The last line: it binds every byte before it, so that no line can be taken out, put in or changed. */
export interface BundleEnd {
  readonly countersign: "evidence-bundle-end";
  readonly records: number;
  /** SHA-256 of all lines before, line feeds included. */
  readonly sha256: string;
  /** Ed25519 by the checkpoint's key over `signedEnd`, in base64. */
  readonly signature: string;
}

/** The largest message of the log, with its envelope and its proof. */
export const bundleLineBytesMax = recordBytesMax + 64 * 1024;

/**
 * What the last line's signature is over. The checkpoint key also signs notes, and no note's text may hold a NUL: a
 * signature of one can never be passed off as the other.
 */
export const signedEnd = (end: Omit<BundleEnd, "signature">): Uint8Array =>
  Buffer.from(`countersign evidence-bundle v1\u0000${canonicalJson(end)}`);
