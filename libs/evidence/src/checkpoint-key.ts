import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { bytesEqual } from "./hashes.js";
import { fromBase64, toBase64 } from "./base64.js";
import { CheckpointRefused } from "./errors.js";

/** The signature type of Ed25519 in a signed note; it is also the first byte of the key in a verifier key. */
const ed25519SignatureType = 1;
const publicKeyBytes = 32;
const keyHashBytes = 4;

/** A verifier key, read: https://github.com/C2SP/C2SP/blob/main/signed-note.md#verifier-keys */
export interface VerifierKey {
  readonly name: string;
  readonly keyHash: Uint8Array;
  readonly publicKey: KeyObject;
}

/** The Ed25519 private key in `pem` (PKCS #8). Throws `CheckpointRefused` and never repeats the key. */
export function loadCheckpointKey(pem: string | Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(typeof pem === "string" ? pem : Buffer.from(pem));
  } catch (error) {
    throw new CheckpointRefused(
      "checkpoint_key_unusable",
      "The checkpoint key is not a private key in PEM. Make one with: openssl genpkey -algorithm ed25519",
      { cause: error },
    );
  }
  requireEd25519(key);
  return key;
}

/** `<name>+<key hash>+<base64 of type and public key>`: what a reader needs to verify this log's checkpoints. */
export function verifierKeyOf(key: KeyObject, name: string): string {
  requireKeyName(name);
  const publicKey = rawPublicKey(key);
  const hash = Buffer.from(keyHashOf(name, publicKey)).toString("hex");
  return `${name}+${hash}+${toBase64(Uint8Array.of(ed25519SignatureType, ...publicKey))}`;
}

/** Throws `CheckpointRefused` with `verifier_key_malformed`. */
export function parseVerifierKey(verifierKey: string): VerifierKey {
  const [, name, hash, encoded] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(verifierKey) ?? [];
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  if (name === undefined || hash === undefined || bytes === undefined || !isKeyName(name)) {
    throw malformed("It is not written as <name>+<hash>+<key>.");
  }
  if (bytes[0] !== ed25519SignatureType || bytes.byteLength !== 1 + publicKeyBytes) {
    throw malformed("It is not an Ed25519 key.");
  }
  const publicKey = bytes.subarray(1);
  const keyHash = keyHashOf(name, publicKey);
  if (!bytesEqual(keyHash, Buffer.from(hash, "hex")))
    throw malformed("Its hash does not fit its name and key.");
  return { name, keyHash, publicKey: publicKeyOf(publicKey) };
}

/** Whether `name` may be the name of a key: not empty, no plus sign, no Unicode space, no control character. */
export const isKeyName = (name: string): boolean =>
  name.length > 0 && name.isWellFormed() && !/[+\s\p{White_Space}\p{Cc}]/u.test(name);

export function requireKeyName(name: string): void {
  if (isKeyName(name)) return;
  throw new CheckpointRefused(
    "checkpoint_key_unusable",
    "The name of a checkpoint key may not be empty or hold spaces or plus signs. Use a host and path, like example.com/countersign.",
  );
}

/** SHA-256(name || 0x0A || type || public key), its first four bytes. */
export function keyHashOf(name: string, publicKey: Uint8Array): Uint8Array {
  const digest = createHash("sha256")
    .update(`${name}\n`)
    .update(Uint8Array.of(ed25519SignatureType))
    .update(publicKey)
    .digest();
  return Uint8Array.from(digest.subarray(0, keyHashBytes));
}

export function rawPublicKey(key: KeyObject): Uint8Array {
  requireEd25519(key);
  const { x } = (key.type === "private" ? createPublicKey(key) : key).export({ format: "jwk" });
  return Uint8Array.from(Buffer.from(String(x), "base64url"));
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  const jwk = { kty: "OKP", crv: "Ed25519", x: Buffer.from(raw).toString("base64url") };
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    throw malformed("It is not an Ed25519 key.");
  }
}

function requireEd25519(key: KeyObject): void {
  if (key.type !== "secret" && key.asymmetricKeyType === "ed25519") return;
  throw new CheckpointRefused(
    "checkpoint_key_unusable",
    "Checkpoints are signed with Ed25519 and this is another kind of key. Make one with: openssl genpkey -algorithm ed25519",
  );
}

const malformed = (reason: string): CheckpointRefused =>
  new CheckpointRefused(
    "verifier_key_malformed",
    `The verifier key cannot be read. ${reason} Copy it whole from where the log's operator publishes it.`,
  );
