import type { KeyObject } from "node:crypto";

/** What originals are sealed to from now on. */
export interface CurrentKey {
  readonly keyId: string;
  readonly publicKey: KeyObject;
  readonly publicJwk: Record<string, unknown>;
}
