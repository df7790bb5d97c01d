import { KeyObject, createPublicKey } from "node:crypto";
import type { CardDataPolicy, CardDataPolicyPublished, VaultKeyPublished } from "@countersign/contracts";

export interface VaultKey {
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

/** The card-data policy and the vault's key that hold now, from `masking.policies`. Without both, nothing passes. */
export class CardDataView {
  #policy: CardDataPolicy | undefined;
  #vaultKey: VaultKey | undefined;

  applyPolicy({ policy }: CardDataPolicyPublished): void {
    this.#policy = policy;
  }

  applyVaultKey({ keyId, publicKey }: VaultKeyPublished): void {
    this.#vaultKey = { keyId, publicKey: createPublicKey({ key: publicKey, format: "jwk" }) };
  }

  get policy(): CardDataPolicy | undefined {
    return this.#policy;
  }

  get vaultKey(): VaultKey | undefined {
    return this.#vaultKey;
  }
}
