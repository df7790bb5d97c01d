import { TextDecoder } from "node:util";
import { CountersignError } from "@countersign/contracts";

/**
 * Text of UTF-8, or of UTF-16 that begins with a byte order mark as PowerShell writes it. A stray byte becomes U+FFFD.
 * Input with zero bytes is refused: no card would be recognised in text of another encoding.
 */
export async function* decodeText(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let decoder: TextDecoder | undefined;
  for await (const bytes of input) {
    if (bytes.length === 0) continue;
    decoder ??= new TextDecoder(encodingOf(bytes), { ignoreBOM: true });
    const text = decoder.decode(bytes, { stream: true });
    if (text.includes("\0")) {
      throw new CountersignError("input_not_text", "The input is not UTF-8 text. Convert it first.");
    }
    if (text !== "") yield text;
  }
  const rest = decoder?.decode() ?? "";
  if (rest !== "") yield rest;
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
}
