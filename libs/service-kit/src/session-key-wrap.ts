import { constants, type KeyObject, publicEncrypt } from "node:crypto";
import { CompactEncrypt } from "jose";

/** How the id of a key in HashiCorp Vault's transit engine begins; no other key's id may. */
export const transitKeyIdPrefix = "vault-transit:RSA-OAEP-256:";

/** What the ids of all versions of one such key begin with. */
export const transitKeyIdStart = (mount: string, name: string): string =>
  `${transitKeyIdPrefix}${mount}/${name}:v`;

/** Names the mount, the key and its version, and how session keys are wrapped to it. */
export const transitKeyId = (mount: string, name: string, version: number): string =>
  `${transitKeyIdStart(mount, name)}${version}`;

/**
 * Wraps a session's content key to a public key of the vault so that it opens for this session under this id alone.
 *
 * - To an elliptic curve: a compact JWE by ECDH-ES+A256KW (RFC 7518 §4.6) whose header names the session and the key.
 * - To an RSA key of the transit engine: RSA-OAEP with SHA-256 (RFC 8017 §7.1) in the form `vault:v<version>:<base64>`
 *   that the engine's `decrypt` takes. The engine knows no label, so the names stand beside the key, inside.
 */
export async function wrapSessionKey(
  key: Uint8Array,
  { sessionId, keyId, vaultKeyId }: { sessionId: string; keyId: string; vaultKeyId: string },
  publicKey: KeyObject,
): Promise<string> {
  const jwk = { kty: "oct", k: Buffer.from(key).toString("base64url") };
  if (publicKey.asymmetricKeyType === "rsa") {
    const version = /:v(\d+)$/.exec(vaultKeyId)?.[1];
    if (!vaultKeyId.startsWith(transitKeyIdPrefix) || version === undefined) {
      throw new TypeError("an RSA key of the vault is named by its mount, name and version");
    }
    const wrapped = publicEncrypt(
      { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      Buffer.from(JSON.stringify({ ...jwk, sid: sessionId, skid: keyId })),
    );
    return `vault:v${version}:${wrapped.toString("base64")}`;
  }
  return new CompactEncrypt(Buffer.from(JSON.stringify(jwk)))
    .setProtectedHeader({
      alg: "ECDH-ES+A256KW",
      enc: "A256GCM",
      kid: vaultKeyId,
      sid: sessionId,
      skid: keyId,
    })
    .encrypt(publicKey);
}
