import { beforeAll, describe, expect, it } from "vitest";
import { events, logOf, origin, verifierKey, written } from "./bundle.fixture.js";
import { CheckpointRefused } from "./errors.js";
import { sha256Hex } from "./hashes.js";
import { otherKey } from "./records.fixture.js";
import { verifyBundle } from "./verify-bundle.js";

let log: Awaited<ReturnType<typeof logOf>>;
let lines: string[];
beforeAll(async () => {
  log = await logOf(events);
  lines = await written(log.source, log.records);
});

describe("a bundle", () => {
  it("is proven with the key that the reader brings", async () => {
    expect(await verifyBundle(lines, { verifierKey })).toEqual({
      ok: true,
      records: 5,
      withheld: 0,
      treeSize: 5,
      origin,
      keyTrusted: true,
      verifierKey,
      exportedAt: "2026-07-01T12:00:00.000Z",
      query: { principal: "corp:alice" },
      problems: [],
    });
  });

  it("vouches for itself where the reader brings no key, and the report says so", async () => {
    expect(await verifyBundle(lines)).toMatchObject({ ok: true, keyTrusted: false });
  });

  it("may hold some records of the log, or none", async () => {
    const some = await written(log.source, [log.records[1]!, log.records[4]!]);
    expect(await verifyBundle(some)).toMatchObject({ ok: true, records: 2, treeSize: 5 });
    expect(await verifyBundle(await written(log.source, []))).toMatchObject({ ok: true, records: 0 });
  });

  it("may leave out ciphertext, since destroying a key leaves the proofs whole", async () => {
    const withoutCiphertext = log.records.map((line) => {
      if (line.index === 2)
        return { ...line, event: { ...line.event, data: { originalId: "o", sha256: sha256Hex("jwe") } } };
      if (line.index === 3)
        return { ...line, event: { ...line.event, data: { keyId: "k", wrappedSha256: sha256Hex("jwe") } } };
      return line;
    });
    const report = await verifyBundle(await written(log.source, withoutCiphertext));
    expect(report).toMatchObject({ ok: true, records: 5 });
  });

  it("is not written with a key that did not sign the checkpoint", async () => {
    const source = { ...log.source, privateKey: otherKey };
    await expect(written(source, log.records)).rejects.toThrow(CheckpointRefused);
  });

  it("is not looked at with a key of the reader's that is none", async () => {
    await expect(verifyBundle(lines, { verifierKey: "no key" })).rejects.toThrow(CheckpointRefused);
  });
});
