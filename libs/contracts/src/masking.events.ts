import { z } from "zod";
import { cardDataPolicy } from "./card-data.js";
import { define, type DataOf } from "./define.js";
import { id, principal, sha256, time } from "./primitives.js";

export const cardDataPolicyPublished = define(
  "CardDataPolicyPublished",
  z.object({ policy: cardDataPolicy, publishedAt: time }),
  "The card-data policy that holds from now on.",
);

export const vaultKeyPublished = define(
  "VaultKeyPublished",
  z.object({
    keyId: z.string(),
    publicKey: z.record(z.string(), z.unknown()).describe("Public JWK; originals are sealed to it."),
    publishedAt: time,
  }),
  "The vault's public key that originals are sealed to from now on.",
);
export const maskingPolicies = [cardDataPolicyPublished, vaultKeyPublished] as const;

export const originalStored = define(
  "OriginalStored",
  z.object({ originalId: id, sessionId: id, callId: id, sha256 }),
  "The vault holds a sealed original.",
);

export const originalRevealed = define(
  "OriginalRevealed",
  z.object({ originalId: id, sessionId: id, callId: id, by: principal, justification: z.string() }),
  "An auditor read a sealed original; recorded before it was shown.",
);

export const revealRefused = define(
  "RevealRefused",
  z.object({ originalId: z.string(), by: principal, reason: z.string() }),
  "Someone asked for a sealed original and was refused.",
);

export const maskingEvents = [originalStored, originalRevealed, revealRefused] as const;
export type CardDataPolicyPublished = DataOf<typeof cardDataPolicyPublished>;
export type VaultKeyPublished = DataOf<typeof vaultKeyPublished>;
export type OriginalStored = DataOf<typeof originalStored>;
export type OriginalRevealed = DataOf<typeof originalRevealed>;
