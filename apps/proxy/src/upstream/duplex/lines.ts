export class LineTooLong extends Error {
  override readonly name = "LineTooLong";
}

const lf = 0x0a;
const cr = 0x0d;

/** Cuts a stream of bytes into lines, whatever the chunks are. Empty lines are passed over. */
export class LineReader {
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(private readonly bytesMax: number) {}

  /** The lines that this chunk completes. Throws `LineTooLong`. */
  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = chunk.indexOf(lf); end !== -1; end = chunk.indexOf(lf, from)) {
      this.#take(chunk.subarray(from, end));
      const line = withoutCr(Buffer.concat(this.#parts));
      this.#parts = [];
      this.#bytes = 0;
      if (line.length > 0) lines.push(line);
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    return lines;
  }

  #take(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > this.bytesMax) throw new LineTooLong(`a line is longer than ${this.bytesMax} bytes`);
    this.#parts.push(part);
  }
}

const withoutCr = (line: Buffer): Buffer => (line.at(-1) === cr ? line.subarray(0, -1) : line);

/**
 * Writes strict JSON as exactly one line. Line breaks between tokens become spaces. Inside strings JSON allows only
 * those of Unicode, which some readers take for the end of a line, so they are escaped: nobody can put a second message
 * behind one that was looked at.
 */
export function oneLine(json: Uint8Array): string {
  const text = Buffer.from(json).toString("utf8");
  return `${text.replaceAll(/[\r\n]/g, " ").replaceAll(/[\u0085\u2028\u2029]/g, escaped)}\n`;
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
