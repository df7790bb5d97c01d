import { once } from "node:events";
import type { ServerResponse } from "node:http";

const keepaliveMs = 15_000;

/** The answer to one HTTP request: either whole, or a stream of server-sent events. */
export class Reply {
  readonly #response: ServerResponse;
  readonly #left = new AbortController();
  #keepalive: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on("close", () => {
      clearInterval(this.#keepalive);
      if (!response.writableFinished) this.#left.abort("the client left");
    });
  }

  /** Aborts when the client goes away before the answer is complete. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  get streaming(): boolean {
    return this.#response.headersSent;
  }

  /** Sends a whole answer; on a stream that already began, a JSON message becomes its last event. */
  send(
    status: number,
    contentType: string | undefined,
    body: string,
    headers: Record<string, string> = {},
  ): void {
    if (this.#left.signal.aborted) return;
    if (this.streaming) {
      this.#response.end(body === "" ? "" : `event: message\ndata: ${body.replaceAll("\n", "\ndata: ")}\n\n`);
      return;
    }
    const length = Buffer.byteLength(body);
    this.#response.writeHead(status, {
      ...headers,
      ...(contentType === undefined ? {} : { "content-type": contentType }),
      "content-length": length,
      "cache-control": "no-store",
    });
    this.#response.end(body);
  }

  json(status: number, value: unknown, headers: Record<string, string> = {}): void {
    this.send(status, "application/json", JSON.stringify(value), headers);
  }

  /** Begins a stream, with a comment now and then so that nothing on the way takes it for dead. */
  startStream(headers: Record<string, string> = {}): void {
    if (this.streaming || this.#left.signal.aborted) return;
    this.#response.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
    this.#response.flushHeaders();
    this.#keepalive = setInterval(() => this.#response.write(": keepalive\n\n"), keepaliveMs);
  }

  /** Writes to the stream and waits while the client is slower than the upstream. */
  async write(text: string): Promise<void> {
    if (this.#left.signal.aborted || text === "") return;
    if (this.#response.write(text)) return;
    await once(this.#response, "drain", { signal: this.#left.signal }).catch(() => undefined);
  }

  end(): void {
    clearInterval(this.#keepalive);
    if (!this.#left.signal.aborted) this.#response.end();
  }
}
