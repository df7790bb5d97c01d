import { CountersignError } from "@countersign/contracts";
import { calculateJwkThumbprint } from "jose";
import type { JWK, JWKS } from "oidc-provider";
import { z } from "zod";
import { readSecretFile } from "../config.js";

const privateKeys = z.object({
  keys: z
    .array(
      z.object({
        kty: z.literal("EC"),
        crv: z.literal("P-256"),
        x: z.string().min(1),
        y: z.string().min(1),
        d: z.string().min(1),
        kid: z.string().min(1).optional(),
      }),
    )
    .min(1),
});

export class SigningKeysRefused extends CountersignError {
  constructor(path: string) {
    super(
      "signing_keys_refused",
      `${path} must hold a private JSON Web Key Set of P-256 keys: {"keys":[{"kty":"EC","crv":"P-256","x":…,"y":…,"d":…}]}.`,
    );
  }
}

/** The keys of access tokens. The first one signs; put a new one first to rotate, and drop the old one a day later. */
export async function loadSigningKeys(path: string): Promise<JWKS> {
  const parsed = privateKeys.safeParse(jsonOf(readSecretFile(path)));
  if (!parsed.success) throw new SigningKeysRefused(path);
  const keys = await Promise.all(
    parsed.data.keys.map(async (key): Promise<JWK> => ({
      ...key,
      kid: key.kid ?? (await calculateJwkThumbprint(key)),
      alg: "ES256",
      use: "sig",
    })),
  );
  return { keys };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
