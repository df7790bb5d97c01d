import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { rotateKeys, showKeys } from "./keys.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-keys-"));
const path = join(folder, "keys");
const now = new Date("2026-11-23T10:00:00.000Z");
const first = { ...generateKeyPairSync("x25519").privateKey.export({ format: "jwk" }), kid: "first" };
const fingerprintKey = Buffer.alloc(32, 7).toString("base64");
const write = (text: string) => writeFileSync(path, text, { mode: 0o644 });
const vaultKeys = () => (JSON.parse(readFileSync(path, "utf8")) as { keys: Record<string, string>[] }).keys;

beforeEach(() => write(JSON.stringify({ keys: [first] })));
afterAll(() => rmSync(folder, { recursive: true }));

describe("countersign keys rotate", () => {
  it.each([
    ["nothing", ""],
    ["no JSON", "{keys"],
    ["no keys", '{"keys":[]}'],
    ["a public key", JSON.stringify({ keys: [{ ...first, d: undefined }] })],
    ["a signing key", JSON.stringify({ keys: [{ ...first, crv: "Ed25519" }] })],
    ["a short fingerprint key", Buffer.alloc(8).toString("base64")],
    ["a letter", "-----BEGIN PRIVATE KEY-----"],
  ])("leaves a file alone that holds %s", async (_, text) => {
    write(text);
    await expect(rotateKeys(path, now)).rejects.toMatchObject({ code: "key_file_refused" });
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("puts a new vault key first, keeps the former ones, and shows nobody any of them", async () => {
    const said = await rotateKeys(path, now);
    const [current, former] = vaultKeys();
    expect(former).toEqual(first);
    expect(current).toMatchObject({ kty: "EC", crv: "P-256", use: "enc", created: now.toISOString() });
    expect(createPrivateKey({ key: { ...current }, format: "jwk" }).asymmetricKeyDetails).toMatchObject({
      namedCurve: "prime256v1",
    });
    expect(said).toContain(current?.["kid"]);
    expect(said).toContain("Restart the masking service");
    for (const secret of [current?.["d"], first.d]) expect(said).not.toContain(secret);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["keys"]);
  });

  it("puts a new fingerprint key first and says in which order to hand it out", async () => {
    write(fingerprintKey);
    expect(await rotateKeys(path, now)).toContain("audit service first");
    const [fresh = "", former] = readFileSync(path, "utf8").trim().split("\n");
    expect(former).toBe(fingerprintKey);
    expect(Buffer.from(fresh, "base64")).toHaveLength(32);
  });
});

describe("countersign keys show", () => {
  it("tells which keys there are, and which open nothing more", async () => {
    await rotateKeys(path, now);
    const [current] = vaultKeys();
    expect(await showKeys(path)).toBe(
      `${current?.["kid"]}  current  made ${now.toISOString()}\nfirst  former\n`,
    );
    const used = (sessionKeys: number) => showKeys(path, [{ keyId: "first", present: true, sessionKeys }]);
    expect(await used(0)).toContain("first  former  opens 0 sessions  can be taken out");
    expect(await used(3)).not.toContain("taken out");
    expect(await showKeys(path, [{ keyId: "lost", present: false, sessionKeys: 2 }])).toContain(
      "lost  NOT IN",
    );
  });
});
