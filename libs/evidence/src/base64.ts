/**
 * The bytes of standard, padded base64, or undefined where `text` is not the one way to write them. Buffer accepts
 * many spellings of the same bytes, and a text that can change without notice proves nothing about itself.
 */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return toBase64(bytes) === text ? bytes : undefined;
}

export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
