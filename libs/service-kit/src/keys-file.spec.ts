import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { keysFile } from "./keys-file.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-keys-"));
const path = join(folder, "keys");
afterAll(() => rmSync(folder, { recursive: true }));

const read = (content: string) => {
  writeFileSync(path, content);
  return keysFile.safeParse(path);
};
const keyOf = (byte: number, length = 32): string => Buffer.alloc(length, byte).toString("base64");

describe("a file of keys", () => {
  it("holds one key, or several with the current one first", () => {
    expect(read(keyOf(1)).data).toEqual([Buffer.alloc(32, 1)]);
    expect(read(`${keyOf(2)}\n${keyOf(1, 48)}\n`).data).toEqual([Buffer.alloc(32, 2), Buffer.alloc(48, 1)]);
  });

  it.each([
    ["no key", "\n"],
    ["a short key", keyOf(1, 31)],
    ["a short key among others", `${keyOf(1)}\n${keyOf(2, 8)}`],
    ["more keys than anyone needs", Array.from({ length: 11 }, (_, n) => keyOf(n)).join("\n")],
  ])("is refused with %s, and the refusal repeats nothing of it", (_, content) => {
    const { error } = read(content);
    expect(error?.issues[0]?.message).toMatch(/at least 32 random bytes/);
    expect(JSON.stringify(error)).not.toContain(keyOf(1).slice(0, 20));
  });

  it("is refused where it cannot be read", () => {
    expect(keysFile.safeParse(join(folder, "none")).success).toBe(false);
  });
});
