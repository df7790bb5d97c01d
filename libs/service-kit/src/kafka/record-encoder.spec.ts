import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeRecord, encodeRecordsOnce } from "./record-encoder.js";

const require = createRequire(import.meta.url);
const path = "kafkajs/src/protocol/recordBatch/record/v0";
const theirs = require(path) as (record: unknown) => { buffer: Buffer };

const bytes = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.uint8Array({ maxLength: 20_000 }).map((array) => Buffer.from(array)),
);
const record = fc.record(
  {
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.dictionary(fc.string({ maxLength: 80 }), fc.oneof(bytes, fc.array(bytes, { maxLength: 3 }))),
    offsetDelta: fc.nat({ max: 100_000 }),
    timestampDelta: fc.nat(),
  },
  { requiredKeys: ["value"] },
);

describe("a record", () => {
  it("is the same to the byte as the client library's own", () => {
    fc.assert(
      fc.property(record, (given) => {
        expect(encodeRecord(given).buffer.equals(theirs(given).buffer)).toBe(true);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it("is what the client library sends from then on", () => {
    encodeRecordsOnce();
    expect(require(path)).toBe(encodeRecord);
  });
});
