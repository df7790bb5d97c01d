import { generateKeyPairSync, randomBytes } from "node:crypto";
import { CountersignError } from "@countersign/contracts";

export class KeyFileRefused extends CountersignError {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(
      "key_file_refused",
      `The key file ${reason}. It has to be the vault's private JSON Web Key Set (VAULT_KEYS_FILE), or fingerprint keys in base64, one a line (FINGERPRINT_KEY_FILE). Nothing was changed.`,
      options,
    );
  }
}

/** What is shown of a key; never the key. */
export interface KeyShown {
  readonly keyId: string;
  readonly current: boolean;
  readonly created?: string;
}

export type KeyFile =
  | { readonly kind: "vault"; readonly keys: readonly VaultJwk[] }
  | { readonly kind: "fingerprint"; readonly lines: readonly string[] };

type VaultJwk = Readonly<Record<string, unknown>> & { readonly kid: string };

const fingerprintBytesMin = 32;

/** Reads the text of a key file. Errors: KeyFileRefused, which never repeats a key. */
export function parseKeyFile(text: string): KeyFile {
  const trimmed = text.trim();
  if (trimmed === "") throw new KeyFileRefused("is empty");
  return trimmed.startsWith("{") ? parseVaultKeys(trimmed) : parseFingerprintKeys(trimmed);
}

/** The file with a new current key; every key that it had stays behind it. */
export function rotated(file: KeyFile, now: Date): KeyFile {
  if (file.kind === "fingerprint") {
    return {
      kind: "fingerprint",
      lines: [randomBytes(fingerprintBytesMin).toString("base64"), ...file.lines],
    };
  }
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = {
    ...privateKey.export({ format: "jwk" }),
    kid: randomBytes(12).toString("base64url"),
    alg: "ECDH-ES",
    use: "enc",
    created: now.toISOString(),
  };
  return { kind: "vault", keys: [key, ...file.keys] };
}

export const textOf = (file: KeyFile): string =>
  file.kind === "vault"
    ? `${JSON.stringify({ keys: file.keys }, undefined, 2)}\n`
    : `${file.lines.join("\n")}\n`;

export const keysShown = (file: KeyFile): KeyShown[] =>
  file.kind === "vault"
    ? file.keys.map(({ kid, created }, place) => ({
        keyId: kid,
        current: place === 0,
        ...(typeof created === "string" ? { created } : {}),
      }))
    : file.lines.map((_, place) => ({ keyId: `line ${place + 1}`, current: place === 0 }));

function parseVaultKeys(text: string): KeyFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new KeyFileRefused("is no JSON", { cause });
  }
  const keys = (parsed as { keys?: unknown }).keys;
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isVaultKey)) {
    throw new KeyFileRefused("holds no private keys, each with a kid");
  }
  return { kind: "vault", keys };
}

const isVaultKey = (key: unknown): key is VaultJwk => {
  if (typeof key !== "object" || key === null) return false;
  const { kid, d, crv } = key as Record<string, unknown>;
  return (
    typeof kid === "string" && kid !== "" && typeof d === "string" && (crv === "P-256" || crv === "X25519")
  );
};

function parseFingerprintKeys(text: string): KeyFile {
  const lines = text.split(/\s+/);
  const areKeys = lines.every(
    (line) =>
      /^[A-Za-z0-9+/_-]+={0,2}$/.test(line) && Buffer.from(line, "base64").length >= fingerprintBytesMin,
  );
  if (!areKeys)
    throw new KeyFileRefused(`has a line that is not at least ${fingerprintBytesMin} bytes in base64`);
  return { kind: "fingerprint", lines };
}
