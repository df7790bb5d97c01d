import { z } from "zod";
import { define, type DataOf } from "./define.js";
import { endpointName, id, sha256 } from "./primitives.js";

export const sessionKeyWrapped = define(
  "SessionKeyWrapped",
  z.object({
    keyId: id,
    sessionId: id,
    vaultKeyId: z.string(),
    wrapped: z
      .string()
      .describe(
        "The session's AES-256-GCM key as an octet JWK: a compact JWE (ECDH-ES+A256KW), or `vault:v<version>:<base64>` (RSA-OAEP, SHA-256) for a key of HashiCorp Vault's transit engine.",
      ),
  }),
  "A session's content key, readable by the vault alone.",
);

export const originalSealed = define(
  "OriginalSealed",
  z.object({
    originalId: id,
    callId: id,
    sessionId: id,
    endpoint: endpointName,
    direction: z.enum(["client_to_server", "server_to_client"]),
    keyId: id,
    sealed: z
      .string()
      .describe("Compact JWE (dir, A256GCM); sensitive authentication data was removed before."),
    sha256: sha256.describe("SHA-256 of `sealed`."),
  }),
  "A message before masking, encrypted to the vault.",
);

export const mcpOriginals = [sessionKeyWrapped, originalSealed] as const;
export type SessionKeyWrapped = DataOf<typeof sessionKeyWrapped>;
export type OriginalSealed = DataOf<typeof originalSealed>;
