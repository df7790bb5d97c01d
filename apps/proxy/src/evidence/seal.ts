import { createHmac, randomBytes } from "node:crypto";
import type { OriginalSealed, SessionKeyWrapped } from "@countersign/contracts";
import { sha256Hex } from "@countersign/evidence";
import { wrapSessionKey } from "@countersign/service-kit";
import { CompactEncrypt } from "jose";
import type { VaultKey } from "../views/card-data.view.js";

/** AES-GCM does not bind a ciphertext to one key; this value in the header does. The vault checks it. */
const keyCommitment = (key: Uint8Array): string =>
  createHmac("sha256", key).update("countersign key commitment v1").digest("base64url");

interface SessionKey {
  readonly keyId: string;
  readonly key: Uint8Array;
  readonly commitment: string;
  readonly wrapped: SessionKeyWrapped;
  /** Whether Kafka has acknowledged `wrapped`; until then it goes along with every original. */
  published: boolean;
}

/**
 * Seals originals to the vault: a fresh AES-256-GCM key per session, wrapped to the vault's public key.
 * Keys live in memory alone, so what a proxy sealed before it was stolen stays sealed.
 */
export class Sealer {
  readonly #keys = new Map<string, Promise<SessionKey>>();

  constructor(
    private readonly vaultKey: () => VaultKey | undefined,
    private readonly newId: () => string,
  ) {}

  /** Seals one original; `key` still has to be published unless it says otherwise. */
  async seal(original: {
    sessionId: string;
    callId: string;
    endpoint: string;
    direction: OriginalSealed["direction"];
    text: string;
  }): Promise<{ sealed: OriginalSealed; key: SessionKey }> {
    const { text, ...about } = original;
    const key = await this.#keyOf(about.sessionId);
    const originalId = this.newId();
    const sealed = await new CompactEncrypt(Buffer.from(text))
      .setProtectedHeader({
        alg: "dir",
        enc: "A256GCM",
        kid: key.keyId,
        rid: originalId,
        log: "mcp.originals",
        v: 1,
        kc: key.commitment,
      })
      .encrypt(key.key);
    return { sealed: { ...about, originalId, keyId: key.keyId, sealed, sha256: sha256Hex(sealed) }, key };
  }

  /** Forgets a session's key; nothing more will be sealed under it. */
  forget(sessionId: string): void {
    this.#keys.delete(sessionId);
  }

  #keyOf(sessionId: string): Promise<SessionKey> {
    const known = this.#keys.get(sessionId);
    if (known) return known;
    const made = this.#make(sessionId);
    this.#keys.set(sessionId, made);
    made.catch(() => this.#keys.delete(sessionId));
    return made;
  }

  async #make(sessionId: string): Promise<SessionKey> {
    const vault = this.vaultKey();
    if (!vault) throw new TypeError("no vault key yet; readiness guards this");
    const key = randomBytes(32);
    const keyId = this.newId();
    const names = { keyId, sessionId, vaultKeyId: vault.keyId };
    const wrapped = await wrapSessionKey(key, names, vault.publicKey);
    return {
      keyId,
      key,
      commitment: keyCommitment(key),
      wrapped: { ...names, wrapped },
      published: false,
    };
  }
}
