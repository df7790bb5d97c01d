import { readFile, writeFile } from "node:fs/promises";
import { exportJWK, generateKeyPair } from "jose";
import type { JWKS } from "oidc-provider";

export async function generateSigningKeys(): Promise<JWKS> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { keys: [{ ...(await exportJWK(privateKey)), alg: "RS256", use: "sig" }] };
}

/** Keeps the keys in a file of the owner's alone, so that tokens stay valid over a restart. */
export async function signingKeysIn(file: string): Promise<JWKS> {
  try {
    const keys: JWKS = JSON.parse(await readFile(file, "utf8"));
    return keys;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const keys = await generateSigningKeys();
  await writeFile(file, JSON.stringify(keys), { mode: 0o600, flag: "wx" });
  return keys;
}
