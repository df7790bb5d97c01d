import { constants, generateKeyPairSync, privateDecrypt, randomBytes } from "node:crypto";
import { compactDecrypt } from "jose";
import { describe, expect, it } from "vitest";
import { transitKeyId, wrapSessionKey } from "./session-key-wrap.js";

const key = randomBytes(32);
const k = key.toString("base64url");
const names = {
  sessionId: "0199aa00-0000-7000-8000-000000000001",
  keyId: "0199aa00-0000-7000-8000-000000000002",
};
const rsa = generateKeyPairSync("rsa", { modulusLength: 3_072 });

describe("a session's key", () => {
  it.each(["file-key", "file-key:v1", "vault-transit:RSA-OAEP-256:transit/originals"])(
    "is not wrapped to an RSA key that is named %s",
    async (vaultKeyId) => {
      await expect(wrapSessionKey(key, { ...names, vaultKeyId }, rsa.publicKey)).rejects.toThrow(TypeError);
    },
  );

  it("is wrapped to a transit key in the form that Vault decrypts, with its names inside", async () => {
    const vaultKeyId = transitKeyId("team/transit", "o".repeat(128), 12);
    const wrapped = await wrapSessionKey(key, { ...names, vaultKeyId }, rsa.publicKey);
    const [, version, body = ""] = /^vault:v(\d+):([A-Za-z0-9+/]+=*)$/.exec(wrapped) ?? [];
    expect(version).toBe("12");
    const inside = privateDecrypt(
      { key: rsa.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      Buffer.from(body, "base64"),
    );
    expect(JSON.parse(inside.toString())).toEqual({ kty: "oct", k, sid: names.sessionId, skid: names.keyId });
  });

  it("is wrapped to a key of a file as a JWE that names them in its header", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const wrapped = await wrapSessionKey(key, { ...names, vaultKeyId: "file-key" }, pair.publicKey);
    const { plaintext, protectedHeader } = await compactDecrypt(wrapped, pair.privateKey);
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({ kty: "oct", k });
    expect(protectedHeader).toMatchObject({
      alg: "ECDH-ES+A256KW",
      kid: "file-key",
      sid: names.sessionId,
      skid: names.keyId,
    });
  });
});
