/** What is written within this long is told at once. */
export const windowMs = 1_000;
/** Of more than this within a window only the length is told, and of longer lines as well. */
export const windowBytesMax = 8 * 1024;

const lf = 0x0a;

/** Collects what a program writes to its standard error: whole lines, so that nothing to be masked is cut in two. */
export class ProgramLog {
  #line: Buffer[] = [];
  #lineBytes = 0;
  #lines: Buffer[] = [];
  #bytes = 0;
  #leftOutBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: (text: Buffer) => void) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(lf); end !== -1; end = chunk.indexOf(lf, from)) {
      this.#take(chunk.subarray(from, end));
      this.#endLine();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    this.#timer ??= setTimeout(() => this.#flush(), windowMs).unref();
  }

  /** Tells what is left, also where its last line has no end. */
  end(): void {
    this.#endLine();
    this.#flush();
  }

  #take(part: Buffer): void {
    this.#lineBytes += part.length;
    if (this.#lineBytes <= windowBytesMax) this.#line.push(part);
    else this.#line = [];
  }

  #endLine(): void {
    if (this.#bytes + this.#lineBytes > windowBytesMax) this.#leftOutBytes += this.#lineBytes;
    else if (this.#lineBytes > 0) {
      this.#lines.push(Buffer.concat(this.#line));
      this.#bytes += this.#lineBytes;
    }
    this.#line = [];
    this.#lineBytes = 0;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const more = this.#leftOutBytes > 0 ? [Buffer.from(`[${this.#leftOutBytes} more bytes]`)] : [];
    const lines = [...this.#lines, ...more].flatMap((line, at) => (at === 0 ? [line] : [newLine, line]));
    this.#lines = [];
    this.#bytes = 0;
    this.#leftOutBytes = 0;
    if (lines.length > 0) this.tell(Buffer.concat(lines));
  }
}

const newLine = Buffer.from("\n");
