import { hash } from "node:crypto";

/** Prefixes that keep a leaf from being passed off as a node (RFC 6962 §2.1). */
const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** What the first record of a recorder's epoch has as its `prevHash`. */
export const ZERO_HASH = "0".repeat(64);

export const hashBytes = 32;

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(hash("sha256", Buffer.concat(parts), "buffer"));

/** RFC 6962 §2.1: SHA-256(0x00 || leaf). */
export const leafHash = (leaf: Uint8Array): Uint8Array => sha256(leafPrefix, leaf);

/** The same of a leaf that is a text, as lower-case hexadecimal: the byte before it is a character before it. */
export const leafHashHexOf = (leaf: string): string => sha256Hex(`\0${leaf}`);

/** RFC 6962 §2.1: SHA-256(0x01 || left || right). */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(nodePrefix, left, right);

/** RFC 6962 §2.1: the root of a tree without leaves is the hash of nothing. */
export const emptyRoot = (): Uint8Array => sha256();

/** SHA-256 of `text` in UTF-8, as lower-case hexadecimal: what payloads and sealed originals are named by. */
export const sha256Hex = (text: string): string => hash("sha256", text, "hex");

export const bytesEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
