import { setTimeout as wait } from "node:timers/promises";
import { VaultFailed, wrapSessionKey } from "@countersign/service-kit";
import { openSessionKey, openTransitSessionKey, type WrappedKey } from "../domain/open-original.js";
import type { CurrentKey } from "./current-key.js";
import type { FileKeys } from "./file-keys.js";
import type { TransitKeys } from "./transit-keys.js";

const dayMs = 86_400_000;

/** The vault's keys, in HashiCorp Vault or in a file. Where there are both, the file's only open what they sealed before. */
export class VaultKeys {
  constructor(private readonly places: { readonly file?: FileKeys; readonly transit?: TransitKeys }) {}

  /** The current one first; of HashiCorp Vault's, those that it was heard to have. */
  get keyIds(): readonly string[] {
    const { file, transit } = this.places;
    return [...(transit?.keyIds ?? []), ...(file?.keyIds ?? [])];
  }

  /** The current key's id; undefined as long as HashiCorp Vault was not heard. */
  get currentKeyId(): string | undefined {
    return this.#known?.keyId;
  }

  /** Errors: VaultFailed. */
  async current(): Promise<CurrentKey> {
    return this.#known ?? (await this.#transit.current());
  }

  /** Resolves once there is another current key. */
  async untilOtherThan({ keyId, publicKey }: CurrentKey, signal: AbortSignal): Promise<void> {
    const { transit } = this.places;
    if (transit) return transit.untilOtherThan(keyId, publicKey, signal);
    for (;;) await wait(dayMs, undefined, { signal });
  }

  /** Whether a session's key that is wrapped to this one can be expected to open. */
  mayOpen(keyId: string): boolean {
    const { file, transit } = this.places;
    return transit?.owns(keyId) === true || file?.privateKey(keyId) !== undefined;
  }

  /** Errors: OriginalUnreadable; VaultFailed where HashiCorp Vault had to be asked and did not answer. */
  async open(key: WrappedKey): Promise<Uint8Array> {
    const { file, transit } = this.places;
    if (transit?.owns(key.vaultKeyId)) {
      return openTransitSessionKey(await transit.decrypt(key.vaultKeyId, key.wrapped), key);
    }
    return openSessionKey(key, (keyId) => file?.privateKey(keyId));
  }

  /** Wraps a session's key to the current key. Errors: VaultFailed. */
  async wrap(
    key: Uint8Array,
    names: { readonly sessionId: string; readonly keyId: string },
  ): Promise<Pick<WrappedKey, "vaultKeyId" | "wrapped">> {
    const { keyId: vaultKeyId, publicKey } = await this.current();
    return { vaultKeyId, wrapped: await wrapSessionKey(key, { ...names, vaultKeyId }, publicKey) };
  }

  get #known(): CurrentKey | undefined {
    const { file, transit } = this.places;
    return transit ? transit.known : file?.current;
  }

  get #transit(): TransitKeys {
    const { transit } = this.places;
    if (transit) return transit;
    throw new VaultFailed(
      "vault_keys_missing",
      "The vault has no keys: set VAULT_KEYS_FILE, or VAULT_TRANSIT_URL with its key and token.",
    );
  }
}
