import { createECDH, createPrivateKey, type KeyObject } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";

const keyBytes = 32;
const shortBytes = 1_024;
/** Programs and libraries are named there as well; they are everybody's. */
const fileBytesMax = 1024 * 1024;
const encoded = /[A-Za-z0-9+/_-]{22,}={0,2}/g;
const hexadecimal = /[0-9a-fA-F]{64,}/g;

/** Everything that a program is told and can read on that account: its environment and each file that it names. */
export function belongingsOf(pid: number, ...more: readonly string[]): Map<string, Buffer> {
  const environment = readFileSync(`/proc/${pid}/environ`);
  const named = environment
    .toString()
    .split("\0")
    .map((entry) => entry.slice(entry.indexOf("=") + 1));
  const files = [...named, ...more].filter((path) => path.startsWith("/") && isSmallFile(path));
  return new Map([
    ["the environment", environment],
    ...files.map((path) => [path, readFileSync(path)] as const),
  ]);
}

const isSmallFile = (path: string): boolean => {
  const file = existsSync(path) ? statSync(path) : undefined;
  return file !== undefined && file.isFile() && file.size <= fileBytesMax;
};

/** What in a content may be a key: the ends of whatever is encoded, and in a short file any 32 bytes in a row. */
export function keysIn(content: Buffer): Uint8Array[] {
  const text = content.toString("latin1");
  const written = [
    ...(text.match(encoded) ?? []).map((part) => Buffer.from(part, "base64")),
    ...(text.match(hexadecimal) ?? []).map((part) => Buffer.from(part, "hex")),
  ].filter(({ length }) => length >= keyBytes);
  const raw = content.length < shortBytes ? windowsOf(content) : [];
  const found = [
    ...written.flatMap((bytes) => [bytes.subarray(0, keyBytes), bytes.subarray(-keyBytes)]),
    ...raw,
  ];
  return [...new Map(found.map((key) => [key.toString("hex"), key])).values()];
}

const windowsOf = (bytes: Buffer): Buffer[] =>
  Array.from({ length: Math.max(0, bytes.length - keyBytes + 1) }, (_, at) =>
    bytes.subarray(at, at + keyBytes),
  );

/** The private key of P-256 that a secret number is; undefined where it is none. */
export function p256KeyOf(secret: Uint8Array): KeyObject | undefined {
  try {
    const curve = createECDH("prime256v1");
    curve.setPrivateKey(secret);
    const point = curve.getPublicKey();
    const part = (start: number): string => point.subarray(start, start + keyBytes).toString("base64url");
    const d = Buffer.from(secret).toString("base64url");
    return createPrivateKey({
      format: "jwk",
      key: { kty: "EC", crv: "P-256", d, x: part(1), y: part(1 + keyBytes) },
    });
  } catch {
    return undefined;
  }
}
