import { once } from "node:events";
import type { ServerResponse } from "node:http";

export const keepaliveMs = 15_000;
/** A client that takes nothing for this long is taken for one that left. */
const stallMsMax = 60_000;
/** After the end of its session, a client has this long to read what was said before it. */
const lateMsMax = 2_000;

/** Every one that a stream of events knows; JSON may have any of them between its tokens. */
const lineEnd = /\r\n|\n|\r/g;

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
      clearInterval(this.#keepalive);
      this.#response.end(
        body === "" ? "" : `event: message\ndata: ${body.replaceAll(lineEnd, "\ndata: ")}\n\n`,
      );
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

  /** Writes to the stream; false where the client is slower than the upstream and should be waited for. */
  write(text: string): boolean {
    return this.#left.signal.aborted || text === "" || this.#response.write(text);
  }

  /** Waits until the client has taken what was written, or left, or `stop` ends the wait; one that takes nothing leaves. */
  async drained(stop: AbortSignal): Promise<void> {
    const stalled = setTimeout(() => this.#response.destroy(), stallMsMax);
    const signal = AbortSignal.any([this.#left.signal, stop]);
    await once(this.#response, "drain", { signal }).catch(() => undefined);
    clearTimeout(stalled);
  }

  /** Ends the connection of a client that does not take soon what is left for it. */
  cutLate(): void {
    const late = setTimeout(() => this.#response.destroy(), lateMsMax).unref();
    this.#response.once("close", () => clearTimeout(late));
  }

  end(): void {
    clearInterval(this.#keepalive);
    if (!this.#left.signal.aborted) this.#response.end();
  }
}
