import type { KeyObject } from "node:crypto";
import { CompactEncrypt } from "jose";

/** Wraps a session's content key to a key of the vault, in the form that `openSessionKey` reads. */
export async function wrapSessionKey(
  key: Uint8Array,
  { sessionId, keyId, vaultKeyId }: { sessionId: string; keyId: string; vaultKeyId: string },
  publicKey: KeyObject,
): Promise<string> {
  const jwk = JSON.stringify({ kty: "oct", k: Buffer.from(key).toString("base64url") });
  return new CompactEncrypt(Buffer.from(jwk))
    .setProtectedHeader({
      alg: "ECDH-ES+A256KW",
      enc: "A256GCM",
      kid: vaultKeyId,
      sid: sessionId,
      skid: keyId,
    })
    .encrypt(publicKey);
}
