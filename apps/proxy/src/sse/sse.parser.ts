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
}

/** Cuts a stream of bytes into events, whatever the chunks are. Events past `bytesMax` and broken UTF-8 are refused. */
export class SseParser {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  #buffer = "";
  #scanned = 0;

  constructor(private readonly bytesMax: number) {}

  /** The events that this chunk completes. */
  push(chunk: Uint8Array): SseEvent[] {
    this.#buffer += this.#decode(chunk);
    const events: SseEvent[] = [];
    for (let end = this.#blockEnd(); end !== -1; end = this.#blockEnd()) {
      events.push(parseBlock(this.#buffer.slice(0, end)));
      this.#buffer = this.#buffer.slice(end);
      this.#scanned = 0;
    }
    if (this.#buffer.length > this.bytesMax)
      throw new StreamRefused("an event is larger than this endpoint takes");
    return events;
  }

  /** Whether the stream may end here; half an event is not delivered. */
  get complete(): boolean {
    return this.#buffer.trim() === "";
  }

  #decode(chunk: Uint8Array): string {
    try {
      return this.#decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw new StreamRefused("the stream is not valid UTF-8", { cause });
    }
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
