import { generateKeyPairSync, randomBytes } from "node:crypto";
import { CompactEncrypt } from "jose";
import { describe, expect, it } from "vitest";
import { openOriginal, openSessionKey } from "./open-original.js";
import { sealText, wrapKey } from "./seal.fixture.js";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = randomBytes(32);
const named = { sessionId: "s-1", keyId: "k-1", vaultKeyId: "v-1" };
const header = { kid: "v-1", sid: "s-1", skid: "k-1" };
const sealedAs = { kid: "k-1", rid: "o-1" };
const text = '{"card":"4111111111111111"}';

const unwrap = (wrapped: string, names = named) => openSessionKey({ ...names, wrapped }, () => privateKey);
const open = (sealed: string, with_ = key) =>
  openOriginal({ sealed, originalId: "o-1", keyId: "k-1" }, with_);

describe("a session's key", () => {
  it.each(["P-256", "X25519"])("opens with the vault's %s key", async (curve) => {
    const pair =
      curve === "P-256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("x25519");
    const wrapped = await wrapKey(key, header, pair.publicKey);
    const opened = await openSessionKey({ ...named, wrapped }, (id) =>
      id === "v-1" ? pair.privateKey : undefined,
    );
    expect(Buffer.from(opened).equals(key)).toBe(true);
  });

  it("does not open without the vault key that it names", async () => {
    const wrapped = await wrapKey(key, header, publicKey);
    await expect(openSessionKey({ ...named, wrapped }, () => undefined)).rejects.toMatchObject({
      code: "vault_key_unknown",
    });
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    await expect(openSessionKey({ ...named, wrapped }, () => other)).rejects.toMatchObject({
      code: "session_key_unreadable",
    });
  });

  it.each([
    ["session", { ...header, sid: "s-2" }],
    ["key", { ...header, skid: "k-2" }],
    ["vault key", { ...header, kid: "v-2" }],
  ])("is refused when it was wrapped for another %s", async (_, wrong) => {
    await expect(unwrap(await wrapKey(key, wrong, publicKey))).rejects.toMatchObject({
      code: "session_key_unreadable",
    });
  });

  it("is refused when it is no 256-bit key, or wrapped in another way", async () => {
    await expect(unwrap(await wrapKey(randomBytes(16), header, publicKey))).rejects.toMatchObject({
      code: "session_key_unreadable",
    });
    const direct = await new CompactEncrypt(Buffer.from("{}"))
      .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", ...header })
      .encrypt(publicKey);
    await expect(unwrap(direct)).rejects.toMatchObject({ code: "session_key_unreadable" });
    await expect(unwrap("not a JWE")).rejects.toMatchObject({ code: "session_key_unreadable" });
  });
});

describe("a sealed original", () => {
  it("opens to exactly what was sealed", async () => {
    expect(await open(await sealText(text, key, sealedAs))).toBe(text);
    expect(await open(await sealText("\u{feff}ä", key, sealedAs))).toBe("\u{feff}ä");
  });

  it.each([
    ["of another record", { ...sealedAs, rid: "o-2" }],
    ["under another key's name", { ...sealedAs, kid: "k-2" }],
    ["of another log", { ...sealedAs, log: "mcp.traffic" }],
    ["of another schema", { ...sealedAs, v: 2 }],
    ["that commits to another key", { ...sealedAs, kc: "A".repeat(43) }],
    ["that commits to no key", { ...sealedAs, kc: "" }],
  ])("is refused when it is one %s", async (_, wrong) => {
    await expect(open(await sealText(text, key, wrong))).rejects.toMatchObject({
      code: "original_unreadable",
    });
  });

  it("is refused when a bit of it changed, or with another key", async () => {
    const sealed = await sealText(text, key, sealedAs);
    const parts = sealed.split(".");
    for (const part of [0, 2, 3, 4]) {
      const changed = parts.map((value, position) => (position === part ? flipped(value) : value)).join(".");
      await expect(open(changed)).rejects.toMatchObject({ code: "original_unreadable" });
    }
    await expect(open(sealed, randomBytes(32))).rejects.toMatchObject({ code: "original_unreadable" });
  });

  it("never repeats what is inside in an error", async () => {
    const error = await open(await sealText(text, key, { ...sealedAs, v: 2 })).catch((cause: Error) => cause);
    expect(String(error)).not.toContain("4111");
  });
});

const flipped = (part: string): string => (part.startsWith("A") ? "B" : "A") + part.slice(1);
