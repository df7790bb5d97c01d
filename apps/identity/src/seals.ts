import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/** Signs what browsers carry for us. Each purpose has a key of its own, so that one seal never passes for another. */
export class Seals {
  readonly #secret: Buffer;

  constructor(secret: string) {
    this.#secret = Buffer.from(secret, "utf8");
  }

  /** A key for a purpose, for a library that signs by itself. */
  keyFor(purpose: string): string {
    return Buffer.from(hkdfSync("sha256", this.#secret, "", `countersign identity ${purpose}`, 32)).toString(
      "base64url",
    );
  }

  /** A text that only this service can have made for `purpose`, readable by whoever holds it. */
  seal(purpose: string, value: unknown): string {
    const body = Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${body}.${this.#signature(purpose, body)}`;
  }

  /** What was sealed, or undefined where the seal is not ours. */
  open(purpose: string, sealed: unknown): unknown {
    if (typeof sealed !== "string") return undefined;
    const [body = "", signature = "", ...rest] = sealed.split(".");
    const expected = Buffer.from(this.#signature(purpose, body));
    const given = Buffer.from(signature);
    if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
      return undefined;
    return JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
  }

  /** A text that only this service can read, for what is kept where others may look. */
  lock(purpose: string, value: unknown): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", Buffer.from(this.keyFor(purpose), "base64url"), nonce);
    const body = Buffer.concat([cipher.update(JSON.stringify(value), "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
  }

  /** What was locked, or undefined where it cannot be opened with today's key. */
  unlock(purpose: string, locked: unknown): unknown {
    if (typeof locked !== "string") return undefined;
    const bytes = Buffer.from(locked, "base64url");
    try {
      const key = Buffer.from(this.keyFor(purpose), "base64url");
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAuthTag(bytes.subarray(12, 28));
      const body = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
      return JSON.parse(body.toString("utf8"));
    } catch {
      return undefined;
    }
  }

  #signature(purpose: string, body: string): string {
    return createHmac("sha256", this.keyFor(purpose)).update(body).digest("base64url");
  }
}
