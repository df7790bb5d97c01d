import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { CountersignError } from "@countersign/contracts";
import { type CompactJWEHeaderParameters, compactDecrypt } from "jose";
import { z } from "zod";

export type UnreadableReason = "vault_key_unknown" | "session_key_unreadable" | "original_unreadable";

/** A sealed form that does not open, or is not what it should be. The text says which, never what is inside. */
export class OriginalUnreadable extends CountersignError {
  declare readonly code: UnreadableReason;

  constructor(code: UnreadableReason, why: string, options?: { cause?: unknown }) {
    super(code, `${why} Look for its record in the evidence log before trusting anything of it.`, options);
  }
}

const octetJwk = z.object({ kty: z.literal("oct"), k: z.string().regex(/^[\w-]{43}$/) });
const namedOctetJwk = octetJwk.extend({ sid: z.string(), skid: z.string() });

/** A session's content key, wrapped to a key of the vault. */
export interface WrappedKey {
  readonly wrapped: string;
  readonly sessionId: string;
  readonly keyId: string;
  readonly vaultKeyId: string;
}

/**
 * Unwraps a session's content key: a compact JWE by ECDH-ES+A256KW (RFC 7518 §4.6) whose header names the session and
 * the key. Errors: OriginalUnreadable.
 */
export async function openSessionKey(
  { wrapped, sessionId, keyId, vaultKeyId }: WrappedKey,
  privateKey: (vaultKeyId: string) => KeyObject | undefined,
): Promise<Uint8Array> {
  const key = privateKey(vaultKeyId);
  if (!key) {
    throw new OriginalUnreadable(
      "vault_key_unknown",
      "The session's key is sealed to a vault key that is not here.",
    );
  }
  const { plaintext, protectedHeader } = await compactDecrypt(wrapped, key, {
    keyManagementAlgorithms: ["ECDH-ES+A256KW"],
    contentEncryptionAlgorithms: ["A256GCM"],
  }).catch((cause: unknown) => {
    throw keyRefused("does not open", cause);
  });
  if (!says(protectedHeader, { kid: vaultKeyId, sid: sessionId, skid: keyId })) {
    throw keyRefused("was wrapped for another session");
  }
  const jwk = octetJwk.safeParse(parseJson(plaintext));
  if (!jwk.success) throw keyRefused("is not a 256-bit key");
  return Buffer.from(jwk.data.k, "base64url");
}

/**
 * Reads what HashiCorp Vault's transit engine unwrapped: the key, beside the names of the session and the key that it
 * was wrapped for. Errors: OriginalUnreadable.
 */
export function openTransitSessionKey(
  unwrapped: Uint8Array,
  { sessionId, keyId }: Pick<WrappedKey, "sessionId" | "keyId">,
): Uint8Array {
  const jwk = namedOctetJwk.safeParse(parseJson(unwrapped));
  if (!jwk.success) throw keyRefused("is not a 256-bit key");
  const { k, sid, skid } = jwk.data;
  if (sid !== sessionId || skid !== keyId) throw keyRefused("was wrapped for another session");
  return Buffer.from(k, "base64url");
}

const keyRefused = (why: string, cause?: unknown): OriginalUnreadable =>
  new OriginalUnreadable("session_key_unreadable", `The session's key ${why}.`, { cause });

/**
 * Opens a sealed original: a compact JWE (dir, A256GCM) whose header names the original, its log and schema, and
 * commits to the key, since AES-GCM alone binds a ciphertext to no single key. Errors: OriginalUnreadable.
 */
export async function openOriginal(
  { sealed, originalId, keyId }: { sealed: string; originalId: string; keyId: string },
  key: Uint8Array,
): Promise<string> {
  const refused = (why: string, cause?: unknown): OriginalUnreadable =>
    new OriginalUnreadable("original_unreadable", `The sealed original ${why}.`, { cause });
  const { plaintext, protectedHeader } = await compactDecrypt(sealed, key, {
    keyManagementAlgorithms: ["dir"],
    contentEncryptionAlgorithms: ["A256GCM"],
  }).catch((cause: unknown) => {
    throw refused("does not open with its session's key", cause);
  });
  if (!says(protectedHeader, { kid: keyId, rid: originalId, log: "mcp.originals", v: 1 })) {
    throw refused("is that of another record");
  }
  if (!isSame(protectedHeader["kc"], keyCommitment(key))) throw refused("does not commit to its key");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plaintext);
  } catch (cause) {
    throw refused("is not UTF-8", cause);
  }
}

/** What the header's `kc` has to be. */
export const keyCommitment = (key: Uint8Array): string =>
  createHmac("sha256", key).update("countersign key commitment v1").digest("base64url");

const says = (header: CompactJWEHeaderParameters, expected: Record<string, unknown>): boolean =>
  Object.entries(expected).every(([name, value]) => header[name] === value);

const isSame = (given: unknown, expected: string): boolean =>
  typeof given === "string" &&
  given.length === expected.length &&
  timingSafeEqual(Buffer.from(given), Buffer.from(expected));

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
