import { createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import {
  transitKeyId,
  transitKeyIdStart,
  type VaultClient,
  VaultFailed,
  wrapSessionKey,
} from "@countersign/service-kit";
import { z } from "zod";
import { OriginalUnreadable, openTransitSessionKey } from "../domain/open-original.js";
import type { CurrentKey } from "./current-key.js";

/** A new version of the key is taken up after this long. */
const lookEveryMs = 10_000;
const bitsMin = 3_072;

const keyAnswer = z.object({
  data: z.object({
    type: z.string(),
    exportable: z.boolean(),
    allow_plaintext_backup: z.boolean(),
    latest_version: z.int().positive(),
    min_decryption_version: z.int().nonnegative(),
    keys: z.record(z.string().regex(/^\d+$/), z.unknown()),
  }),
});
const versionAnswer = z.object({ public_key: z.string() });
const decryptAnswer = z.object({ data: z.object({ plaintext: z.base64() }) });

interface Reading {
  readonly current: CurrentKey;
  readonly latest: number;
  /** Newest first. */
  readonly versions: readonly number[];
}

/**
 * One RSA key of HashiCorp Vault's transit engine. Its private half never leaves Vault, which unwraps session keys on
 * request. https://developer.hashicorp.com/vault/api-docs/secret/transit
 */
export class TransitKeys {
  #reading: Reading | undefined;
  #looking: Promise<Reading> | undefined;
  /** The public key, in PEM, that was seen to open what is wrapped to it. */
  #tried: string | Buffer | undefined;

  constructor(
    private readonly client: VaultClient,
    private readonly key: { readonly mount: string; readonly name: string },
    /** Told of each failure, and of each success. */
    private readonly heard: (failure: VaultFailed | undefined) => void,
    private readonly everyMs = lookEveryMs,
  ) {}

  /** Whether a session's key says that this key wrapped it, in any version. */
  owns(keyId: string): boolean {
    return keyId.startsWith(this.#idStart) && this.#versionOf(keyId) !== undefined;
  }

  /** The versions that open, newest first, as far as Vault was heard. */
  get keyIds(): readonly string[] {
    return this.#reading?.versions.map((version) => this.#id(version)) ?? [];
  }

  get known(): CurrentKey | undefined {
    return this.#reading?.current;
  }

  /** Errors: VaultFailed. */
  async current(): Promise<CurrentKey> {
    return (this.#reading ?? (await this.look())).current;
  }

  /** Resolves once Vault has another newest version than this one. */
  async untilOtherThan(keyId: string, publicKey: KeyObject, signal: AbortSignal): Promise<void> {
    for (;;) {
      const { known } = this;
      if (known && (known.keyId !== keyId || !known.publicKey.equals(publicKey))) return;
      await wait(this.everyMs, undefined, { signal });
      await this.look().catch((error: unknown) => {
        if (!(error instanceof VaultFailed)) throw error;
      });
    }
  }

  /** Reads the key anew. A newest version counts once it opened what was wrapped to it. Errors: VaultFailed. */
  look(): Promise<Reading> {
    this.#looking ??= this.#heard(() => this.#look()).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** What is inside a wrapped session key. Errors: OriginalUnreadable, VaultFailed. */
  async decrypt(vaultKeyId: string, wrapped: string): Promise<Uint8Array> {
    const version = this.#versionOf(vaultKeyId) ?? 0;
    if (!wrapped.startsWith(`vault:v${version}:`)) {
      throw new OriginalUnreadable(
        "session_key_unreadable",
        "The session's key is not wrapped in the version of the vault's key that it names.",
      );
    }
    let reading = this.#reading ?? (await this.look());
    if (version > reading.latest) reading = await this.look();
    if (!reading.versions.includes(version)) {
      throw new OriginalUnreadable(
        "vault_key_unknown",
        "The session's key is sealed to a version of the transit key that Vault does not have or no longer decrypts with.",
      );
    }
    const opened = await this.#heard(() => this.#decrypt(wrapped)).catch((error: unknown) => {
      // The next look tries again whether Vault decrypts, so that reading the key alone is not taken for health.
      this.#tried = undefined;
      throw error;
    });
    if (opened) return opened;
    // A key that was deleted in Vault answers as a ciphertext that does not open.
    await this.look();
    throw new OriginalUnreadable("session_key_unreadable", "Vault does not open the session's key.");
  }

  async #look(): Promise<Reading> {
    const { mount, name } = this.key;
    const { status, body } = await this.client.ask(`${mount}/keys/${name}`);
    if (status === 404) {
      throw new VaultFailed(
        "vault_key_missing",
        `Vault has no key ${name} at ${mount}: make it with \`vault write ${mount}/keys/${name} type=rsa-4096\`.`,
      );
    }
    if (status !== 200) throw this.#refused(status, `${mount}/keys/${name}`);
    const parsed = keyAnswer.safeParse(body);
    if (!parsed.success) throw this.#unfit("is no key of the transit engine");
    const reading = this.#readingOf(parsed.data.data);
    const tried = reading.current.publicKey.export({ format: "pem", type: "spki" });
    if (this.#tried !== tried) {
      await this.#try(reading.current);
      this.#tried = tried;
    }
    this.#reading = reading;
    return reading;
  }

  #readingOf(data: z.infer<typeof keyAnswer>["data"]): Reading {
    if (data.type !== "rsa-4096" && data.type !== "rsa-3072") throw this.#unfit(`is of type ${data.type}`);
    if (data.exportable) throw this.#unfit("may be exported");
    if (data.allow_plaintext_backup) throw this.#unfit("may be backed up in plaintext");
    const latest = data.latest_version;
    const pem = versionAnswer.safeParse(data.keys[latest]);
    let publicKey: KeyObject;
    try {
      publicKey = createPublicKey(pem.data?.public_key ?? "");
    } catch {
      throw this.#unfit(`shows no public key for its version ${latest}`);
    }
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    if (publicKey.asymmetricKeyType !== "rsa" || bits < bitsMin) throw this.#unfit("is too short");
    const keyId = this.#id(latest);
    const { kty, n, e } = publicKey.export({ format: "jwk" });
    const publicJwk = { kty, n, e, kid: keyId, use: "enc", alg: "RSA-OAEP-256" };
    const versions = Object.keys(data.keys)
      .map(Number)
      .filter((version) => version >= data.min_decryption_version && version <= latest)
      .toSorted((a, b) => b - a);
    return { latest, versions, current: { keyId, publicKey, publicJwk } };
  }

  /** Nothing is sealed to a key before it was seen to open. */
  async #try({ keyId, publicKey }: CurrentKey): Promise<void> {
    const names = { sessionId: "trial", keyId: "trial", vaultKeyId: keyId };
    const key = randomBytes(32);
    const wrapped = await wrapSessionKey(key, names, publicKey);
    const opened = await this.#decrypt(wrapped);
    const isSame = opened && key.equals(openTransitSessionKey(opened, names));
    if (!isSame) throw this.#unfit("does not open what is wrapped to it by RSA-OAEP with SHA-256");
  }

  /** Undefined where Vault says that the ciphertext does not open. */
  async #decrypt(ciphertext: string): Promise<Uint8Array | undefined> {
    const path = `${this.key.mount}/decrypt/${this.key.name}`;
    const { status, body } = await this.client.ask(path, { ciphertext });
    if (status === 400) return undefined;
    const parsed = decryptAnswer.safeParse(body);
    if (status !== 200 || !parsed.success) throw this.#refused(status, path);
    return Buffer.from(parsed.data.data.plaintext, "base64");
  }

  async #heard<T>(ask: () => Promise<T>): Promise<T> {
    try {
      const answer = await ask();
      this.heard(undefined);
      return answer;
    } catch (error) {
      if (error instanceof VaultFailed) this.heard(error);
      throw error;
    }
  }

  #refused(status: number, path: string): VaultFailed {
    return new VaultFailed(
      "vault_refused",
      `Vault answered ${status} for ${path}: look at the token in VAULT_TRANSIT_TOKEN_FILE and its policy, which has to permit read of the key and update of decrypt, and at Vault itself.`,
    );
  }

  #unfit(why: string): VaultFailed {
    return new VaultFailed(
      "vault_key_unfit",
      `The transit key that VAULT_TRANSIT_KEY names ${why}. It has to be of type rsa-4096 or rsa-3072, made in Vault, neither exportable nor with plaintext backup; make another one and name that.`,
    );
  }

  #id(version: number): string {
    const { mount, name } = this.key;
    return transitKeyId(mount, name, version);
  }

  /** What all versions' ids begin with. */
  get #idStart(): string {
    return transitKeyIdStart(this.key.mount, this.key.name);
  }

  #versionOf(keyId: string): number | undefined {
    const digits = keyId.slice(this.#idStart.length);
    return /^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : undefined;
  }
}
