import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openCheckpoint, signCheckpoint } from "./checkpoint.js";
import { loadCheckpointKey, verifierKeyOf } from "./checkpoint-key.js";
import { type CheckpointErrorCode, CheckpointRefused } from "./errors.js";
import { leafHash } from "./hashes.js";
import { otherKey, testKey } from "./records.fixture.js";
import { openNote, signNote } from "./signed-note.js";

const origin = "example.com/countersign";
const root = leafHash(Buffer.from("a record"));
const note = signCheckpoint({ origin, size: 42, root, privateKey: testKey });
const verifierKey = verifierKeyOf(testKey, origin);

const codeOf = (action: () => unknown): CheckpointErrorCode | undefined => {
  try {
    action();
  } catch (error) {
    if (error instanceof CheckpointRefused) return error.code;
    throw error;
  }
  return undefined;
};

/** The example of the specification, with the key and note of Go's golang.org/x/mod/sumdb/note. */
const golang = {
  verifierKey: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
  note:
    "If you think cryptography is the answer to your problem,\n" +
    "then you don't know what your problem is.\n" +
    "\n" +
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
};

describe("a checkpoint that cannot be trusted", () => {
  it("is refused with any byte of its text or signature changed", () => {
    const bytes = Buffer.from(note);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = bytes[at]! ^ 1;
      expect(
        codeOf(() => openCheckpoint(changed.toString("utf8"), verifierKey)),
        `byte ${at}`,
      ).toBeDefined();
    }
  });

  it("is refused where another key of the same name signed it", () => {
    const forged = signCheckpoint({ origin, size: 42, root, privateKey: otherKey });
    expect(codeOf(() => openCheckpoint(forged, verifierKey))).toBe("signature_missing");
  });

  it("is refused where the signature is of another text", () => {
    const larger = note.replace("\n42\n", "\n43\n");
    expect(codeOf(() => openCheckpoint(larger, verifierKey))).toBe("signature_invalid");
  });

  it("is refused where one of two signatures by the key does not verify", () => {
    const line = signNote("other\n", testKey, origin).split("\n\n")[1]!;
    expect(codeOf(() => openCheckpoint(`${note}${line}`, verifierKey))).toBe("signature_invalid");
  });

  it.each([
    ["a size with a leading zero", `${origin}\n042\nAAAA\n`],
    ["a size that is not safe to count with", `${origin}\n9007199254740993\nAAAA\n`],
    ["a short root", `${origin}\n42\nAAAA\n`],
    ["no root", `${origin}\n42\n`],
    ["no origin", `\n42\nAAAA\n`],
  ])("is refused with %s, though it is signed", (_, text) => {
    const signed = signNote(text, testKey, origin);
    expect(codeOf(() => openCheckpoint(signed, verifierKey))).toBe("checkpoint_malformed");
  });

  it.each([
    ["no signature", "text\n"],
    ["no final newline", note.slice(0, -1)],
    ["a signature in a sloppy base64", note.replace(/=*\n$/, "\n")],
    ["too many signatures", `text\n\n${"— a AAAAAAAA\n".repeat(101)}`],
    ["too much text", `${"x".repeat(70_000)}\n\n— a AAAAAAAA\n`],
    ["a control character", note.replace("\n42", "\r\n42")],
  ])("is refused with %s", (_, malformed) => {
    expect(codeOf(() => openCheckpoint(malformed, verifierKey))).toBe("note_malformed");
  });

  it.each([
    ["another hash", verifierKey.replace(/\+[0-9a-f]{8}\+/, "+00000000+")],
    ["another name", `x${verifierKey}`],
    ["another algorithm", "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
    ["nothing in it", ""],
  ])("is not looked at with a verifier key that has %s", (_, key) => {
    expect(codeOf(() => openCheckpoint(note, key))).toBe("verifier_key_malformed");
  });

  it("is not signed over a root, size or origin that is none", () => {
    const good = { origin, size: 1, root, privateKey: testKey };
    expect(codeOf(() => signCheckpoint({ ...good, root: root.slice(1) }))).toBe("checkpoint_malformed");
    expect(codeOf(() => signCheckpoint({ ...good, size: -1 }))).toBe("checkpoint_malformed");
    expect(codeOf(() => signCheckpoint({ ...good, origin: "a\nb" }))).toBe("checkpoint_malformed");
    expect(codeOf(() => signCheckpoint({ ...good, origin: "two words" }))).toBe("checkpoint_key_unusable");
  });

  it("is not signed with a key of another kind", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(codeOf(() => signCheckpoint({ origin, size: 1, root, privateKey }))).toBe(
      "checkpoint_key_unusable",
    );
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    expect(codeOf(() => loadCheckpointKey(pem))).toBe("checkpoint_key_unusable");
    expect(codeOf(() => loadCheckpointKey("not a key"))).toBe("checkpoint_key_unusable");
  });
});

describe("a checkpoint", () => {
  it("opens to what was signed", () => {
    expect(openCheckpoint(note, verifierKey)).toEqual({ origin, size: 42, root });
  });

  it("is written as C2SP's tlog-checkpoint and signed-note say", () => {
    const [first, size, hash, empty, signature, end] = note.split("\n");
    expect([first, size, hash, empty, end]).toEqual([
      origin,
      "42",
      Buffer.from(root).toString("base64"),
      "",
      "",
    ]);
    expect(signature).toMatch(/^— example\.com\/countersign [A-Za-z0-9+/]{91}=$/);
  });

  it("opens with a witness's signature and an extension line beside the log's", () => {
    const text = `${origin}\n42\n${Buffer.from(root).toString("base64")}\nan extension\n`;
    const ours = signNote(text, testKey, origin);
    const witness = signNote(text, otherKey, "witness.example").split("\n\n")[1]!;
    expect(openCheckpoint(`${ours}${witness}`, verifierKey)).toEqual({ origin, size: 42, root });
  });

  it("is signed by a key read from PEM", () => {
    const key = loadCheckpointKey(testKey.export({ type: "pkcs8", format: "pem" }));
    expect(signCheckpoint({ origin, size: 42, root, privateKey: key })).toBe(note);
  });
});

describe("a signed note from another implementation", () => {
  it("opens with its verifier key", () => {
    expect(openNote(golang.note, golang.verifierKey)).toContain("cryptography is the answer");
  });
});
