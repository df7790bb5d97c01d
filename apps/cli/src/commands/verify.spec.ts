import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportBundle, otherVerifierKey, verifierKey } from "../bundle.fixture.js";
import { verifyEvidence } from "./verify.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-verify-"));
});
afterEach(() => rm(folder, { recursive: true }));

const nothing = Readable.from([]);
const fileOf = async (text: string, name = "evidence.ndjson"): Promise<string> => {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
};

describe("countersign verify", () => {
  it("says of each problem which line and record it is in, and what it is", async () => {
    const file = await fileOf((await exportBundle()).replace('"{\\"call\\":1}"', '"{\\"call\\":7}"'));
    const { text, exitCode } = await verifyEvidence(file, { key: verifierKey }, nothing);
    expect(exitCode).toBe(1);
    expect(text.split("\n").slice(0, 3)).toEqual([
      "NOT PROVEN: 2 problems",
      "  line 3, record 1: The text at /data/response is not the text that its digest names. (payload_changed)",
      "  line 5: A line before the end is not as it was when the bundle was signed. (bundle_changed)",
    ]);
  });

  it("does not prove a bundle with another key than the reader's", async () => {
    const file = await fileOf(await exportBundle());
    const { text, exitCode } = await verifyEvidence(file, { key: otherVerifierKey }, nothing);
    expect(exitCode).toBe(1);
    expect(text).toContain("(key_differs)");
  });

  it("does not prove an empty file, or one that is no bundle", async () => {
    expect(await verifyEvidence(await fileOf(""), {}, nothing)).toMatchObject({ exitCode: 1 });
    expect(await verifyEvidence(await fileOf("hello\n"), {}, nothing)).toMatchObject({ exitCode: 1 });
  });

  it("leaves it open where the file or the key cannot be read", async () => {
    const file = await fileOf(await exportBundle());
    const absent = join(folder, "absent");
    await expect(verifyEvidence(absent, {}, nothing)).rejects.toMatchObject({ code: "bundle_unreadable" });
    await expect(verifyEvidence(folder, {}, nothing)).rejects.toMatchObject({ code: "bundle_unreadable" });
    await expect(verifyEvidence(file, { key: absent }, nothing)).rejects.toMatchObject({
      code: "key_unreadable",
    });
    await expect(verifyEvidence(file, { key: "name+00000000+AAAA" }, nothing)).rejects.toMatchObject({
      code: "verifier_key_malformed",
    });
  });

  it("lets nothing in a bundle act on the terminal", async () => {
    const { text } = await verifyEvidence(await fileOf(await exportBundle()), {}, nothing);
    expect(text).not.toContain("\u001b");
  });

  it("says that a key which the bundle brought is self-asserted", async () => {
    const { text, exitCode } = await verifyEvidence(await fileOf(await exportBundle()), {}, nothing);
    expect(exitCode).toBe(0);
    expect(text).toContain("It is self-asserted");
  });

  it("proves a bundle with the reader's key, given as text or in a file, from a file or standard input", async () => {
    const bundle = await exportBundle();
    const keyFile = await fileOf(`${verifierKey}\n`, "log.vkey");
    const results = [
      await verifyEvidence(await fileOf(bundle), { key: verifierKey }, nothing),
      await verifyEvidence("-", { key: keyFile }, Readable.from([Buffer.from(bundle)])),
    ];
    for (const { text, exitCode } of results) {
      expect(exitCode).toBe(0);
      expect(text).toBe(
        [
          "PROVEN: 3 records, each in the log and as it was recorded",
          "log:      example.com/countersign, 3 records at its signed checkpoint",
          "exported: 2026-07-01T12:00:00.000Z",
          String.raw`query:    {"principal":"corp:alice\u001b[2J"}`,
          `key:      ${verifierKey}`,
          "          It is the key that you brought.",
          "",
        ].join("\n"),
      );
    }
  });
});
