import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { compactDecrypt } from "jose";
import { describe, expect, it } from "vitest";
import { CardDataView } from "../views/card-data.view.js";
import { Sealer } from "./seal.js";

const vaultKeyId = "vault-transit:RSA-OAEP-256:transit/originals:v3";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 3_072 });

describe("what the proxy seals to a key in HashiCorp Vault", () => {
  it("opens with what Vault unwraps, knowing nothing but the public key", async () => {
    const view = new CardDataView();
    const jwk = { ...publicKey.export({ format: "jwk" }), kid: vaultKeyId, alg: "RSA-OAEP-256", use: "enc" };
    view.applyVaultKey({ keyId: vaultKeyId, publicKey: jwk, publishedAt: "2026-11-22T09:00:00.000Z" });
    let made = 0;
    const sealer = new Sealer(
      () => view.vaultKey,
      () => `id-${(made += 1)}`,
    );
    const about = {
      sessionId: "s-1",
      callId: "c-1",
      endpoint: "payments",
      direction: "client_to_server" as const,
    };
    const { sealed, key } = await sealer.seal({ ...about, text: "the original" });
    const { vaultKeyId: names, wrapped, sessionId } = key.wrapped;
    expect([names, sessionId, wrapped.slice(0, 9)]).toEqual([vaultKeyId, "s-1", "vault:v3:"]);
    const inside = privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      Buffer.from(wrapped.slice(9), "base64"),
    );
    const { k, sid, skid } = JSON.parse(inside.toString()) as Record<string, string>;
    expect([sid, skid]).toEqual(["s-1", sealed.keyId]);
    const opened = await compactDecrypt(sealed.sealed, Buffer.from(k ?? "", "base64url"));
    expect(new TextDecoder().decode(opened.plaintext)).toBe("the original");
  });
});
