import { createRequire } from "node:module";
import type { Message } from "kafkajs";

type Bytes = Buffer | string;
type Record = Pick<Message, "key" | "value" | "headers"> & {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
};

/** What the client library's own encoders take over from another one. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/**
 * kafkajs 2.2.4 gives every record, every header and every length a buffer of its own, which it fills with zeros and
 * copies from: a good part of what an append costs. From here on it gets records that were measured first and written once.
 */
export function encodeRecordsOnce(): void {
  const require = createRequire(import.meta.url);
  const path = require.resolve("kafkajs/src/protocol/recordBatch/record/v0");
  require(path);
  const module = require.cache[path];
  if (module) module.exports = encodeRecord;
}

/** One record of a record batch of version 2 (https://kafka.apache.org/documentation/#record). */
export function encodeRecord({
  offsetDelta = 0,
  timestampDelta = 0,
  key,
  value,
  headers = {},
}: Record): Encoded {
  const pairs = Object.entries(headers).flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given as Bytes]).map((one): [Bytes, Bytes] => [name, one]),
  );
  const parts: (Bytes | null | undefined)[] = [key, value, ...pairs.flat()];
  const lengths = parts.map((part) => (part == null ? -1 : Buffer.byteLength(part)));
  const bodyBytes = lengths.reduce(
    (sum, length) => sum + varintBytes(length) + Math.max(length, 0),
    attributesBytes + varintBytes(timestampDelta) + varintBytes(offsetDelta) + varintBytes(pairs.length),
  );
  const record = Buffer.allocUnsafe(varintBytes(bodyBytes) + bodyBytes);
  let at = writeVarint(record, bodyBytes, 0);
  record[at] = 0;
  at = writeVarint(record, timestampDelta, at + attributesBytes);
  at = writeVarint(record, offsetDelta, at);
  for (const [index, part] of parts.entries()) {
    if (index === headersFrom) at = writeVarint(record, pairs.length, at);
    at = writeVarint(record, lengths[index] ?? -1, at);
    if (typeof part === "string") at += record.write(part, at);
    else if (part) at += part.copy(record, at);
  }
  if (pairs.length === 0) writeVarint(record, 0, at);
  return { buf: record, buffer: record };
}

const attributesBytes = 1;
/** Before the headers come the key and the value. */
const headersFrom = 2;

/** Small numbers of either sign become small ones without a sign. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/** Answers where to write on. */
function writeVarint(target: Buffer, value: number, at: number): number {
  let next = at;
  let rest = zigzag(value);
  for (; rest >= 128; rest = Math.floor(rest / 128)) target[next++] = (rest % 128) + 128;
  target[next] = rest;
  return next + 1;
}
