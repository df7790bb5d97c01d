/** One event of a stream, with the very text it came as. https://html.spec.whatwg.org/multipage/server-sent-events.html */
export interface SseEvent {
  /** The event's lines with their line ends, the blank line included. */
  readonly raw: string;
  /** Whether `raw` has nothing but the fields below, each once: no comment, no field that clients pass over. */
  readonly plain: boolean;
  readonly event?: string;
  readonly id?: string;
  readonly retry?: string;
  /** Undefined where the event has no data line, as in a bare comment or retry hint. */
  readonly data?: string;
}

export class StreamRefused extends Error {
  override readonly name = "StreamRefused";
  /** Private, so that no log prints messages along with an error. */
  readonly #before: readonly SseEvent[];

  constructor(message: string, options: { before: readonly SseEvent[]; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.#before = options.before;
  }

  /** The events that came whole in the same chunk, before what is broken. */
  get before(): readonly SseEvent[] {
    return this.#before;
  }
}

const byteOrderMark = "\u{FEFF}";

/**
 * Cuts a stream of bytes into events, whatever the chunks are. Events past `bytesMax` and broken UTF-8 are refused, in
 * each event by itself, so that what came before stays good.
 */
export class SseParser {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** A character for each byte; line ends are no part of any longer character. */
  #buffer = "";
  #scanned = 0;
  #isFirst = true;

  constructor(private readonly bytesMax: number) {}

  /** The events that this chunk completes. */
  push(chunk: Uint8Array): SseEvent[] {
    this.#buffer += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    const events: SseEvent[] = [];
    for (let end = this.#blockEnd(); end !== -1; end = this.#blockEnd()) {
      this.#bound(end, events);
      events.push(parseBlock(this.#decoded(end, events)));
      this.#buffer = this.#buffer.slice(end);
      this.#scanned = 0;
    }
    this.#bound(this.#buffer.length, events);
    return events;
  }

  /** Whether the stream may end here; half an event is not delivered. */
  get complete(): boolean {
    return this.#buffer.trim() === "";
  }

  #bound(bytes: number, before: readonly SseEvent[]): void {
    if (bytes > this.bytesMax) {
      throw new StreamRefused("an event is larger than this endpoint takes", { before });
    }
  }

  /** The text of the first bytes. A mark of byte order may begin a stream, and is a character anywhere else. */
  #decoded(end: number, before: readonly SseEvent[]): string {
    let text: string;
    try {
      text = this.#decoder.decode(Buffer.from(this.#buffer.slice(0, end), "latin1"));
    } catch (cause) {
      throw new StreamRefused("the stream is not valid UTF-8", { before, cause });
    }
    const isMarked = this.#isFirst && text.startsWith(byteOrderMark);
    this.#isFirst = false;
    return isMarked ? text.slice(byteOrderMark.length) : text;
  }

  /** Index after the blank line that ends the first block, or -1. Scanning goes on where it stopped. */
  #blockEnd(): number {
    const boundary = /\r\n\r\n|\n\n|\r\r(?!\n)|\n\r\n|\r\n\n/g;
    boundary.lastIndex = Math.max(0, this.#scanned - 3);
    const found = boundary.exec(this.#buffer);
    if (!found) {
      this.#scanned = this.#buffer.length;
      return -1;
    }
    return found.index + found[0].length;
  }
}

function parseBlock(raw: string): SseEvent {
  const data: string[] = [];
  const fields: { event?: string; id?: string; retry?: string } = {};
  let plain = true;
  for (const line of raw.split(/\r\n|\n|\r/)) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event" || name === "id" || name === "retry") {
      if (name in fields) plain = false;
      fields[name] = value;
    } else plain = false;
  }
  return { raw, plain, ...fields, ...(data.length > 0 ? { data: data.join("\n") } : {}) };
}

/** Writes an event whose data was changed; its other fields stay. */
export function writeSse(event: SseEvent, data: string): string {
  const lines: string[] = [];
  if (event.event !== undefined) lines.push(`event: ${event.event}`);
  if (event.id !== undefined) lines.push(`id: ${event.id}`);
  if (event.retry !== undefined) lines.push(`retry: ${event.retry}`);
  for (const line of data.split("\n")) lines.push(`data: ${line}`);
  return `${lines.join("\n")}\n\n`;
}
