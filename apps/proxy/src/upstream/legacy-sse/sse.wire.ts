import type { HttpUpstream } from "@countersign/contracts";
import type { Dispatcher } from "undici";
import { SseParser } from "../../sse/sse.parser.js";
import type { Credential } from "../credentials/issued.js";
import { scrubbed } from "../credentials/scrub.js";
import { discard, withCredential } from "../credentials/with-credential.js";
import type { Wire, WireEvents } from "../duplex/wire.js";
import { sendOnce } from "../http/send.js";
import { UpstreamFailed } from "../upstream-failed.js";
import { postUrl } from "./endpoint-event.js";

const endpointEventMs = 10_000;

export interface SseTools {
  readonly calls: Dispatcher;
  readonly streams: Dispatcher;
  readonly credential: Credential;
}

/**
 * Opens a stream of the HTTP+SSE transport: the server's first event says where to post, its answers come back on the
 * stream. https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export async function openSse(
  settings: HttpUpstream,
  bytesMax: number,
  tools: SseTools,
  events: WireEvents,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Wire> {
  const end = new AbortController();
  const stop = (): void => end.abort("the opening was given up");
  signal.addEventListener("abort", stop, { once: true });
  const late = setTimeout(() => end.abort("the server did not say where to post"), endpointEventMs);
  try {
    const { answer, issued } = await withCredential(tools.credential, (issued) =>
      sendOnce(tools.streams, settings.url, {
        method: "GET",
        headers: { ...streamHeaders(headers), ...issued.headers },
        signal: end.signal,
      }),
    );
    const contentType = String(answer.headers["content-type"] ?? "");
    if (answer.statusCode !== 200 || !contentType.startsWith("text/event-stream")) {
      await discard(answer);
      throw refusal(answer.statusCode);
    }
    const wire = new SseWire(settings.url, tools, events, end, issued.secrets);
    await wire.begin(answer, bytesMax);
    return wire;
  } catch (error) {
    end.abort("the stream could not be opened");
    if (signal.aborted || error instanceof UpstreamFailed) throw error;
    throw misbehaved("The upstream MCP server did not open a stream as HTTP+SSE asks.", error);
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", stop);
  }
}

/** What the client's first request may say of itself also goes with the stream, except what only fits a message. */
const streamHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> => ({
  ...withoutMessageHeaders(headers),
  accept: "text/event-stream",
});

const messageHeaders = new Set(["accept", "content-type", "last-event-id", "mcp-session-id"]);

const withoutMessageHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !messageHeaders.has(name)));

class SseWire implements Wire {
  #postUrl: string | undefined;
  #resumed: Promise<void> | undefined;
  #resume: (() => void) | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly tools: SseTools,
    private readonly events: WireEvents,
    private readonly end: AbortController,
    private readonly secrets: readonly string[],
  ) {}

  /** Reads the stream; resolves once it said where to post. */
  begin(answer: Dispatcher.ResponseData, bytesMax: number): Promise<void> {
    return new Promise((begun, failed) => {
      this.#reading = this.#read(answer, bytesMax, begun).then(
        () => this.#over(new Error("the stream ended"), failed),
        (error: Error) => this.#over(error, failed),
      );
    });
  }

  async send(
    message: Uint8Array,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const url = this.#postUrl;
    if (url === undefined) throw new TypeError("a wire that did not begin");
    const { answer } = await withCredential(this.tools.credential, (issued) =>
      sendOnce(this.tools.calls, url, {
        method: "POST",
        headers: {
          ...withoutMessageHeaders(headers),
          "content-type": "application/json",
          ...issued.headers,
        },
        body: message,
        signal: AbortSignal.any([signal, this.end.signal]),
      }),
    );
    await discard(answer);
    if (answer.statusCode < 200 || answer.statusCode > 299) throw refusal(answer.statusCode);
  }

  pause(): void {
    this.#resumed ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume?.();
    this.#resumed = undefined;
  }

  async close(): Promise<void> {
    this.end.abort("the session is over");
    this.resume();
    await this.#reading;
  }

  async #read(answer: Dispatcher.ResponseData, bytesMax: number, begun: () => void): Promise<void> {
    const parser = new SseParser(bytesMax);
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      for (const { event, data } of parser.push(chunk)) {
        if (event === "endpoint" && this.#postUrl === undefined) {
          this.#postUrl = postUrl(this.url, data);
          if (this.#postUrl === undefined) {
            throw misbehaved("The upstream MCP server names a place for messages that is not its own.");
          }
          begun();
        } else if (data !== undefined && data !== "" && (event ?? "message") === "message") {
          this.events.message(scrubbed(Buffer.from(data), this.secrets));
        }
      }
      await this.#resumed;
    }
  }

  #over(error: Error, failed: (error: Error) => void): void {
    const begun = this.#postUrl !== undefined;
    failed(error);
    if (begun && !this.end.signal.aborted) this.events.closed(error);
  }
}

const misbehaved = (message: string, cause?: unknown): UpstreamFailed =>
  new UpstreamFailed("upstream_misbehaved", message, { sent: false, cause });

const refusal = (status: number): UpstreamFailed =>
  status === 401 || status === 403
    ? new UpstreamFailed(
        "upstream_credential_failed",
        "The upstream refused the gateway's credential; an administrator has to renew it.",
        { sent: false },
      )
    : new UpstreamFailed(
        "upstream_broke_off",
        `The upstream MCP server answered ${status} where HTTP+SSE has it take messages; start a new session.`,
        { sent: true },
      );
