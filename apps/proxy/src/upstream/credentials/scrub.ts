import { Transform, type TransformCallback } from "node:stream";

const replacement = "[upstream credential removed]";
/** Shorter texts occur by chance. */
const charactersMin = 8;

/** The forms in which a secret may come back: as it is, as JSON writes it, and the password of a connection string. */
function needlesOf(secrets: readonly string[]): Buffer[] {
  const texts = secrets
    .flatMap((secret) => [secret, ...passwordsIn(secret)])
    .filter((secret) => secret.length >= charactersMin)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  // The longest first, so that no part of one is left over where a shorter one was taken out of it.
  return [...new Set(texts)].toSorted((a, b) => b.length - a.length).map((text) => Buffer.from(text));
}

function passwordsIn(secret: string): string[] {
  const { password } = URL.canParse(secret) ? new URL(secret) : { password: "" };
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** Takes the gateway's own credential out of what an upstream sent, such as an error that repeats a header. */
export function scrubbed(data: Buffer, secrets: readonly string[]): Buffer {
  return needlesOf(secrets).reduce(withoutNeedle, data);
}

/** The same for a stream, wherever it is cut. It holds back only what may be the beginning of a secret. */
export class Scrubber extends Transform {
  readonly #needles: readonly Buffer[];
  #held = Buffer.alloc(0);

  constructor(secrets: readonly string[]) {
    super();
    this.#needles = needlesOf(secrets);
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    let data = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    for (const needle of this.#needles) data = withoutNeedle(data, needle);
    const end = data.length - Math.max(0, ...this.#needles.map((needle) => startedAtEnd(data, needle)));
    this.#held = Buffer.from(data.subarray(end));
    done(null, data.subarray(0, end));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#held);
  }
}

function withoutNeedle(data: Buffer, needle: Buffer): Buffer {
  let at = data.indexOf(needle);
  if (at === -1) return data;
  const parts: Buffer[] = [];
  let from = 0;
  for (; at !== -1; at = data.indexOf(needle, from)) {
    parts.push(data.subarray(from, at), Buffer.from(replacement));
    from = at + needle.length;
  }
  return Buffer.concat([...parts, data.subarray(from)]);
}

/** How many bytes at the end of `data` are the beginning of `needle`. */
function startedAtEnd(data: Buffer, needle: Buffer): number {
  for (let length = Math.min(needle.length - 1, data.length); length > 0; length--) {
    const start = data.length - length;
    if (data[start] === needle[0] && data.compare(needle, 0, length, start) === 0) return length;
  }
  return 0;
}
