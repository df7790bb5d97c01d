import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describeError, VaultClient, type VaultFailed, wrapSessionKey } from "@countersign/service-kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileKeys } from "./file-keys.js";
import { TransitKeys } from "./transit-keys.js";
import { TransitStandIn } from "./transit.fixture.js";
import { VaultKeys } from "./vault-keys.js";

const idOf = (version: number): string => `vault-transit:RSA-OAEP-256:transit/originals:v${version}`;
const names = { sessionId: "s-1", keyId: "k-1" };
const key = randomBytes(32);

let vault: TransitStandIn;
let address: string;
let heard: (VaultFailed | undefined)[];
let token: string;
let transit: TransitKeys;
let keys: VaultKeys;

beforeEach(async () => {
  vault = new TransitStandIn("originals");
  token = vault.token;
  heard = [];
  address = await vault.listen();
  connect(address);
});
afterEach(async () => {
  await vault.close();
});

function connect(address: string, name = "originals"): void {
  const client = new VaultClient({ address, token: () => token, setting: "VAULT_TRANSIT_URL" });
  transit = new TransitKeys(client, { mount: "transit", name }, (failure) => heard.push(failure), 5);
  keys = new VaultKeys({ transit });
}

const wrapped = async (version: number, names_ = names) => ({
  ...names,
  vaultKeyId: idOf(version),
  wrapped: await wrapSessionKey(key, { ...names_, vaultKeyId: idOf(version) }, vault.publicKey(version)),
});

describe("the vault's key in HashiCorp Vault", () => {
  it.each<[string, () => void, string]>([
    ["the token may not read it", () => vault.permitted.delete("keys"), "vault_refused"],
    ["the token may not decrypt with it", () => vault.permitted.delete("decrypt"), "vault_refused"],
    ["the token is another one", () => void (token = "hvs.canary-other"), "vault_refused"],
    ["Vault is sealed", () => void (vault.sealed = true), "vault_refused"],
    ["it may be exported", () => void (vault.settings.exportable = true), "vault_key_unfit"],
    ["it may be backed up", () => void (vault.settings.allow_plaintext_backup = true), "vault_key_unfit"],
    ["it is of a shorter type", () => void (vault.settings.type = "rsa-2048"), "vault_key_unfit"],
    ["it encrypts in another way", () => void (vault.settings.type = "aes256-gcm96"), "vault_key_unfit"],
    ["its newest version is shorter than its type", () => vault.rotate(2_048), "vault_key_unfit"],
    ["it is not there", () => connect(address, "other"), "vault_key_missing"],
    ["Vault is away", () => connect("http://127.0.0.1:1"), "vault_unavailable"],
  ])("is not sealed to where %s, and no token is repeated", async (_, given, code) => {
    given();
    const error: unknown = await keys.current().catch((error: unknown) => error);
    expect(error).toMatchObject({ code });
    expect(describeError(error)).not.toContain("canary");
    expect(heard.at(-1)?.code).toBe(code);
    expect(keys.currentKeyId).toBeUndefined();
  });

  it("is not sealed to where it does not open what is wrapped to it", async () => {
    vault.shown = generateKeyPairSync("rsa", { modulusLength: 3_072 }).publicKey;
    await expect(keys.current()).rejects.toMatchObject({ code: "vault_key_unfit" });
    expect(keys.currentKeyId).toBeUndefined();
  });

  it.each([
    ["another session", { sessionId: "s-2" }],
    ["another key", { keyId: "k-2" }],
  ])("does not open what was wrapped for %s", async (_, wrong) => {
    const moved = await wrapped(1, { ...names, ...wrong });
    await expect(keys.open(moved)).rejects.toMatchObject({ code: "session_key_unreadable" });
  });

  it("does not open what is of another version, too old for Vault, or of none", async () => {
    vault.rotate();
    const old = await wrapped(1);
    await expect(keys.open({ ...old, vaultKeyId: idOf(2) })).rejects.toMatchObject({
      code: "session_key_unreadable",
    });
    await expect(
      keys.open({ ...old, vaultKeyId: idOf(2), wrapped: old.wrapped.replace("v1", "v2") }),
    ).rejects.toMatchObject({ code: "session_key_unreadable" });
    await expect(
      keys.open({ ...old, vaultKeyId: idOf(3), wrapped: old.wrapped.replace("v1", "v3") }),
    ).rejects.toMatchObject({ code: "vault_key_unknown" });
    vault.settings.min_decryption_version = 2;
    await transit.look();
    await expect(keys.open(old)).rejects.toMatchObject({ code: "vault_key_unknown" });
  });

  it("is known by its id to nobody else", () => {
    for (const other of [
      "v1",
      "vault-transit:RSA-OAEP-256:transit/originals2:v1",
      "vault-transit:RSA-OAEP-256:team/originals:v1",
      `${idOf(1)}0x`,
      idOf(0),
    ]) {
      expect(keys.mayOpen(other)).toBe(false);
    }
    expect(keys.mayOpen(idOf(7))).toBe(true);
  });

  it("opens what was wrapped to it, and says nothing of itself but the public half", async () => {
    const { keyId, publicJwk } = await keys.current();
    expect(keyId).toBe(idOf(1));
    expect(publicJwk).toMatchObject({ kty: "RSA", alg: "RSA-OAEP-256", kid: keyId });
    expect(Object.keys(publicJwk).toSorted()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
    expect(key.equals(await keys.open(await wrapped(1)))).toBe(true);
    expect(await keys.wrap(key, names)).toMatchObject({
      vaultKeyId: keyId,
      wrapped: expect.stringMatching(/^vault:v1:/) as string,
    });
    expect(heard.every((failure) => failure === undefined)).toBe(true);
  });

  it("tells of a lost permission until it is back, and takes a new token from then on", async () => {
    await keys.current();
    const sealed = await wrapped(1);
    vault.permitted.delete("decrypt");
    await expect(keys.open(sealed)).rejects.toMatchObject({ code: "vault_refused" });
    await expect(transit.look()).rejects.toMatchObject({ code: "vault_refused" });
    expect(heard.at(-1)?.code).toBe("vault_refused");
    vault.permitted.add("decrypt");
    vault.token = token = "hvs.canary-renewed";
    expect(key.equals(await keys.open(sealed))).toBe(true);
    expect(heard.at(-1)).toBeUndefined();
  });

  it("is not taken for unreadable where somebody deleted it in Vault", async () => {
    await keys.current();
    const sealed = await wrapped(1);
    vault.name = "another";
    await expect(keys.open(sealed)).rejects.toMatchObject({ code: "vault_key_missing" });
  });

  it("is followed when it is rotated, and its former versions still open", async () => {
    const sealed = await wrapped(1);
    const first = await keys.current();
    const rotated = keys.untilOtherThan(first, new AbortController().signal);
    vault.sealed = true;
    vault.rotate();
    await expect.poll(() => heard.at(-1)?.code).toBe("vault_refused");
    vault.sealed = false;
    await rotated;
    expect((await keys.current()).keyId).toBe(idOf(2));
    expect(keys.keyIds).toEqual([idOf(2), idOf(1)]);
    expect(key.equals(await keys.open(sealed))).toBe(true);
  });

  it("comes before the keys of a file, which still open", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = { ...pair.privateKey.export({ format: "jwk" }), kid: "file" };
    keys = new VaultKeys({ file: FileKeys.parse(JSON.stringify({ keys: [jwk] })), transit });
    expect((await keys.current()).keyId).toBe(idOf(1));
    expect(keys.keyIds).toEqual([idOf(1), "file"]);
    const former = { ...names, vaultKeyId: "file" };
    const sealed = { ...former, wrapped: await wrapSessionKey(key, former, pair.publicKey) };
    expect(key.equals(await keys.open(sealed))).toBe(true);
  });
});
