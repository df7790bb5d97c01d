import { CountersignError } from "@countersign/contracts";
import { bundleLineBytesMax } from "./bundle.js";

const lineFeed = 0x0a;

/**
 * The lines of a bundle, without their line feeds, from the bytes of a file. Only a line feed ends a line, the last
 * one too, and only UTF-8 is text: a reader that forgives either would let a changed byte through. Holds one line at a
 * time. Throws a `CountersignError` with `line_too_long`, `not_utf8` or `line_not_ended`.
 */
export async function* bundleLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, from)) {
      requireBounded(pendingBytes + at - from);
      yield decode([...parts, chunk.subarray(from, at)]);
      parts = [];
      pendingBytes = 0;
      from = at + 1;
    }
    pendingBytes += chunk.byteLength - from;
    requireBounded(pendingBytes);
    if (from < chunk.byteLength) parts.push(chunk.subarray(from));
  }
  if (pendingBytes > 0) {
    throw new CountersignError(
      "line_not_ended",
      "The last line has no end. The bundle was cut short; export it again.",
    );
  }
}

function decode(parts: readonly Uint8Array[]): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch (error) {
    throw new CountersignError(
      "not_utf8",
      "The line is not UTF-8. The bundle was changed; export it again.",
      {
        cause: error,
      },
    );
  }
}

function requireBounded(bytes: number): void {
  if (bytes <= bundleLineBytesMax) return;
  throw new CountersignError(
    "line_too_long",
    `The line has more than ${bundleLineBytesMax} bytes, and no record of the log has. This is not a bundle.`,
  );
}
