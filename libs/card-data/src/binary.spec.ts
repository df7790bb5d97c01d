import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

import { BUILT_IN_POLICY } from "./built-in-policy.js";
import { scanJson, scanText } from "./scan.js";

const rulesIn = (value: unknown) =>
  scanJson(JSON.stringify(value), { policy: BUILT_IN_POLICY }).findings.map(({ rule }) => rule);

/** Bytes that look like no text and are the same in each run. */
const bytes = (count: number, head: readonly number[] = []): Buffer => {
  const parts: Buffer[] = [Buffer.from(head)];
  for (let at = 0; at * 32 < count; at++) parts.push(createHash("sha256").update(String(at)).digest());
  return Buffer.concat(parts).subarray(0, count);
};
const text = "The quick brown fox, déjà vu, 日本語 and a tab\tor two.\r\n".repeat(60);

describe("content that cannot be read", () => {
  it.each([
    ["PNG", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ["JPEG", [0xff, 0xd8, 0xff, 0xe0]],
    ["PDF", [0x25, 0x50, 0x44, 0x46, 0x2d]],
    ["MP3", [0xff, 0xfb, 0x90, 0x64]],
    ["WAV", [0x52, 0x49, 0x46, 0x46]],
    ["FLAC", [0x66, 0x4c, 0x61, 0x43, 0x00]],
    ["an older office document", [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]],
    ["WebM", [0x1a, 0x45, 0xdf, 0xa3]],
    ["bytes of no known kind", []],
  ])("is said to be unsearched: %s", (_, head) => {
    const base64 = bytes(900, head).toString("base64");
    const base64url = bytes(900, head).toString("base64url");
    expect(rulesIn({ a: base64, b: `data:x/y;base64,${base64}`, c: base64url })).toEqual([
      "unscanned.binary",
      "unscanned.binary",
      "unscanned.binary",
    ]);
    expect(scanText(base64, { policy: BUILT_IN_POLICY }).findings.map(({ rule }) => rule)).toEqual([
      "unscanned.binary",
    ]);
  });

  it("is not text in base64, which is searched", () => {
    expect(rulesIn({ a: Buffer.from(text).toString("base64") })).toEqual([]);
    expect(rulesIn({ a: Buffer.from(`${text} 4111111111111111 ${text}`).toString("base64") })).toEqual([
      "pan.range",
    ]);
  });

  it("is not what is long for other reasons: hexadecimal, a signature, words without blanks", () => {
    const signature = bytes(512).toString("base64");
    const value = {
      hex: bytes(900).toString("hex"),
      signature,
      run: "a".repeat(4000),
      w: "Word".repeat(1000),
    };
    expect(rulesIn({ ...value, sequence: "GATTACA".repeat(400), sentence: text })).toEqual([]);
  });
});
