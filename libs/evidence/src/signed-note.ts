import { sign, verify, type KeyObject } from "node:crypto";
import { fromBase64, toBase64 } from "./base64.js";
import { keyHashOf, parseVerifierKey, rawPublicKey, requireKeyName } from "./checkpoint-key.js";
import { CheckpointRefused } from "./errors.js";
import { bytesEqual } from "./hashes.js";

/** Bounds on a note from elsewhere; a checkpoint with a dozen witnesses has some two thousand bytes. */
const noteLengthMax = 64 * 1024;
const signaturesMax = 100;
const keyHashBytes = 4;

/**
 * A signed note: text, an empty line, and a line for each signature.
 * https://github.com/C2SP/C2SP/blob/main/signed-note.md
 */
export function signNote(text: string, privateKey: KeyObject, keyName: string): string {
  requireKeyName(keyName);
  if (!isNoteText(text)) throw malformed("Its text holds control characters or does not end a line.");
  const keyHash = keyHashOf(keyName, rawPublicKey(privateKey));
  const signature = sign(null, Buffer.from(text), privateKey);
  return `${text}\n— ${keyName} ${toBase64(Uint8Array.of(...keyHash, ...signature))}\n`;
}

/**
 * The text of `note`, once a signature by `verifierKey` was verified. Signatures by other keys are passed over, as the
 * specification asks; one by this key that does not verify refuses the note. Throws `CheckpointRefused`.
 */
export function openNote(note: string, verifierKey: string): string {
  const key = parseVerifierKey(verifierKey);
  const { text, signatures } = parseNote(note);
  const ours = signatures.filter(
    ({ name, keyHash }) => name === key.name && bytesEqual(keyHash, key.keyHash),
  );
  if (ours.length === 0) {
    throw new CheckpointRefused(
      "signature_missing",
      "The note carries no signature by this key. Use the verifier key of the log that signed it.",
    );
  }
  if (!ours.every(({ signature }) => verify(null, Buffer.from(text), key.publicKey, signature))) {
    throw new CheckpointRefused(
      "signature_invalid",
      "The note was changed after it was signed, or was not signed by this key. Do not trust it.",
    );
  }
  return text;
}

interface NoteSignature {
  readonly name: string;
  readonly keyHash: Uint8Array;
  readonly signature: Uint8Array;
}

function parseNote(note: string): { text: string; signatures: NoteSignature[] } {
  if (note.length > noteLengthMax) throw malformed(`It is longer than ${noteLengthMax} characters.`);
  const separator = note.lastIndexOf("\n\n");
  if (separator < 0 || !note.endsWith("\n")) throw malformed("It does not end in signature lines.");
  const text = note.slice(0, separator + 1);
  if (!isNoteText(text)) throw malformed("Its text holds control characters.");
  const lines = note.slice(separator + 2, -1).split("\n");
  if (lines.length > signaturesMax) throw malformed(`It has more than ${signaturesMax} signatures.`);
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^ ]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  if (name === undefined || bytes === undefined || bytes.byteLength <= keyHashBytes) {
    throw malformed("A signature line is not written as the specification says.");
  }
  return { name, keyHash: bytes.subarray(0, keyHashBytes), signature: bytes.subarray(keyHashBytes) };
}

/** Lines without control characters, the last one ended. */
const isNoteText = (text: string): boolean =>
  // oxlint-disable-next-line no-control-regex -- The specification forbids exactly these.
  text.isWellFormed() && text.endsWith("\n") && !/[\u0000-\u0009\u000b-\u001f]/.test(text);

const malformed = (reason: string): CheckpointRefused =>
  new CheckpointRefused("note_malformed", `The signed note cannot be read. ${reason} Export it again.`);
