import { createHash, type KeyObject } from "node:crypto";
import { CompactEncrypt } from "jose";
import { keyCommitment } from "./open-original.js";

/** Seals as the proxy does: the format that `open-original` reads. */
export async function wrapKey(
  key: Uint8Array,
  header: { kid: string; sid: string; skid: string },
  publicKey: KeyObject,
): Promise<string> {
  const jwk = JSON.stringify({ kty: "oct", k: Buffer.from(key).toString("base64url") });
  return new CompactEncrypt(Buffer.from(jwk))
    .setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM", ...header })
    .encrypt(publicKey);
}

export async function sealText(
  text: string,
  key: Uint8Array,
  header: { kid: string; rid: string; log?: string; v?: number; kc?: string },
): Promise<string> {
  return new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({
      alg: "dir",
      enc: "A256GCM",
      log: "mcp.originals",
      v: 1,
      kc: keyCommitment(key),
      ...header,
    })
    .encrypt(key);
}

export const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");
