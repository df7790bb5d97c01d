import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { CountersignError } from "@countersign/contracts";
import { transitKeyIdPrefix } from "@countersign/service-kit";
import { z } from "zod";
import type { CurrentKey } from "./current-key.js";

const privateJwk = z.object({
  kid: z
    .string()
    .min(1)
    .max(256)
    .refine((kid) => !kid.startsWith(transitKeyIdPrefix)),
  kty: z.enum(["EC", "OKP"]),
  crv: z.enum(["P-256", "X25519"]),
  d: z.string().min(1),
  x: z.string().min(1),
  y: z.string().min(1).optional(),
});
const privateJwks = z.object({ keys: z.array(privateJwk).min(1).max(1_000) });

export class VaultKeysUnusable extends CountersignError {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(
      "vault_keys_unusable",
      `The file that VAULT_KEYS_FILE names ${reason}. It has to be a private JSON Web Key Set of P-256 or X25519 keys, each with a kid, the newest first.`,
      options,
    );
  }
}

/** The vault's private keys from a file. The first one is what originals are sealed to from now on; the others still open. */
export class FileKeys {
  readonly #private: ReadonlyMap<string, KeyObject>;
  readonly currentKeyId: string;

  private constructor(keys: ReadonlyMap<string, KeyObject>, currentKeyId: string) {
    this.#private = keys;
    this.currentKeyId = currentKeyId;
  }

  static load(file: string): FileKeys {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (cause) {
      throw new VaultKeysUnusable("cannot be read", { cause });
    }
    return FileKeys.parse(text);
  }

  /** Errors: VaultKeysUnusable, which never repeats a key. */
  static parse(text: string): FileKeys {
    let keys: z.infer<typeof privateJwks>["keys"];
    const imported = new Map<string, KeyObject>();
    try {
      keys = privateJwks.parse(JSON.parse(text)).keys;
      for (const key of keys) imported.set(key.kid, createPrivateKey({ key, format: "jwk" }));
    } catch (cause) {
      throw new VaultKeysUnusable("does not hold such keys", { cause });
    }
    if (imported.size !== keys.length) throw new VaultKeysUnusable("gives one kid to two keys");
    return new FileKeys(imported, keys[0]?.kid ?? "");
  }

  /** The current one first. */
  get keyIds(): readonly string[] {
    return [...this.#private.keys()];
  }

  privateKey(keyId: string): KeyObject | undefined {
    return this.#private.get(keyId);
  }

  /** The public half of the current key. */
  get current(): CurrentKey {
    const key = this.#private.get(this.currentKeyId);
    if (!key) throw new VaultKeysUnusable("holds no current key");
    const publicKey = createPublicKey(key);
    const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
    const publicJwk = {
      kty,
      crv,
      x,
      ...(y === undefined ? {} : { y }),
      kid: this.currentKeyId,
      use: "enc",
      alg: "ECDH-ES+A256KW",
    };
    return { keyId: this.currentKeyId, publicKey, publicJwk };
  }
}
