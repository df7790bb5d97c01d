import type { AnswerBody } from "../upstream.js";

const replacement = "[upstream credential removed]";
/** Shorter texts occur by chance. */
const charactersMin = 8;

/** The forms in which a secret may come back: as it is, as JSON writes it, and the password of a connection string. */
function needlesOf(secrets: readonly string[]): readonly Buffer[] {
  const known = compiled.get(secrets);
  if (known) return known;
  const texts = secrets
    .flatMap((secret) => [secret, ...passwordsIn(secret)])
    .filter((secret) => secret.length >= charactersMin)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  // The longest first, so that no part of one is left over where a shorter one was taken out of it.
  const longestFirst = [...new Set(texts)].toSorted((a, b) => b.length - a.length);
  const needles = longestFirst.map((text) => Buffer.from(text));
  compiled.set(secrets, needles);
  return needles;
}

/** A credential is the same for many answers. */
const compiled = new WeakMap<readonly string[], readonly Buffer[]>();

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

/** The same for a body, wherever it is cut. It holds back only what may be the beginning of a secret. */
export function scrubbedBody(body: AnswerBody, secrets: readonly string[]): AnswerBody {
  return {
    destroy: () => body.destroy(),
    async *[Symbol.asyncIterator]() {
      const needles = needlesOf(secrets);
      let held = Buffer.alloc(0);
      for await (const chunk of body) {
        const data = needles.reduce(withoutNeedle, held.length > 0 ? Buffer.concat([held, chunk]) : chunk);
        const end = data.length - Math.max(0, ...needles.map((needle) => startedAtEnd(data, needle)));
        held = Buffer.from(data.subarray(end));
        if (end > 0) yield data.subarray(0, end);
      }
      if (held.length > 0) yield held;
    },
  };
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
