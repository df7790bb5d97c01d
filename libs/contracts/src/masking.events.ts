import { z } from "zod";
import { cardDataPolicy } from "./card-data.js";
import { define, type DataOf } from "./define.js";
import { payload } from "./payload.js";
import { id, principal, sha256, time } from "./primitives.js";

export const cardDataPolicyPublished = define(
  "CardDataPolicyPublished",
  z.object({ policy: cardDataPolicy, publishedAt: time }),
  "The card-data policy that holds from now on.",
);

export const vaultKeyPublished = define(
  "VaultKeyPublished",
  z.object({
    keyId: z
      .string()
      .describe(
        "Of a key in HashiCorp Vault's transit engine: `vault-transit:RSA-OAEP-256:<mount>/<name>:v<version>`.",
      ),
    publicKey: z
      .record(z.string(), z.unknown())
      .describe(
        "Public JWK; session keys are wrapped to it as its `alg` says: ECDH-ES+A256KW or RSA-OAEP-256.",
      ),
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
  z.object({
    originalId: id,
    sessionId: id,
    callId: id,
    by: principal,
    justification: z.string(),
    approvalId: id.optional(),
    approvedBy: principal
      .pick({ id: true, name: true })
      .optional()
      .describe("The second person, where policy asks for one."),
  }),
  "An auditor read a sealed original; recorded before it was shown.",
);

export const revealRefused = define(
  "RevealRefused",
  z.object({ originalId: z.string(), by: principal, reason: z.string() }),
  "Someone asked for a sealed original and was refused.",
);

export const shredRefused = define(
  "ShredRefused",
  z.object({ sessionId: z.string(), by: principal, reason: z.string() }),
  "Someone asked for a session's originals to be shredded and was refused.",
);

export const sessionKeyDestroyed = define(
  "SessionKeyDestroyed",
  z.object({
    sessionId: id,
    keyIds: z.array(id),
    originals: z.int().nonnegative().describe("How many sealed originals nobody can open any more."),
    cause: z.enum(["retention", "request"]),
    by: principal.optional(),
    justification: z.string().optional(),
  }),
  "A session's keys were destroyed, and its originals with them; the records and their proofs stay.",
);

export const sessionKeysRewrapped = define(
  "SessionKeysRewrapped",
  z.object({
    vaultKeyId: z.string().describe("The vault key that they can be opened with from now on."),
    formerVaultKeyIds: z.array(z.string()),
    sessionKeys: z.int().positive(),
  }),
  "Stored session keys were wrapped to the vault's current key.",
);

export const cardDataMissed = define(
  "CardDataMissed",
  z.object({
    recordId: id.describe("The event id of the record that holds it."),
    callId: id,
    sessionId: id.optional(),
    endpoint: z.string().optional(),
    part: z.enum(["request", "response", "message", "headers"]).describe("Which payload of the record."),
    policyVersion: z.string(),
    view: payload.describe(
      "What is shown in place of the record's text. Its findings are what was missed, without any digit.",
    ),
  }),
  "The second look found card data that the first one had let through: an incident.",
);

export const maskingEvents = [
  originalStored,
  originalRevealed,
  revealRefused,
  shredRefused,
  sessionKeyDestroyed,
  sessionKeysRewrapped,
  cardDataMissed,
] as const;
export type CardDataPolicyPublished = DataOf<typeof cardDataPolicyPublished>;
export type VaultKeyPublished = DataOf<typeof vaultKeyPublished>;
export type OriginalStored = DataOf<typeof originalStored>;
export type OriginalRevealed = DataOf<typeof originalRevealed>;
export type SessionKeyDestroyed = DataOf<typeof sessionKeyDestroyed>;
export type CardDataMissed = DataOf<typeof cardDataMissed>;
