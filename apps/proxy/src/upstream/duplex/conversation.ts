import { PassThrough, Readable } from "node:stream";
import { classify, type JsonRpcMessage } from "../../steps/parse-message.js";
import type { UpstreamAnswer, UpstreamRequest } from "../upstream.js";
import { UpstreamFailed } from "../upstream-failed.js";
import { Backlog } from "./backlog.js";
import { isRefusalOfEra, jsonAnswer, sseFrame, statusOf } from "./http-shapes.js";
import { relatedRequestKey } from "./related-request.js";
import type { Wire } from "./wire.js";

type Call = Extract<JsonRpcMessage, { kind: "request" }>;

interface Pending {
  readonly call: Call;
  readonly takesStream: boolean;
  readonly modern: boolean;
  readonly answer: (answer: UpstreamAnswer) => void;
  readonly fail: (error: unknown) => void;
  /** No longer heeds the request's signal. */
  readonly release: () => void;
  stream?: PassThrough;
}

export const pendingMax = 256;
/** A server that says this much that is no MCP message is ended: it would never get better. */
export const strayMessagesMax = 1_000;
const streamBytesMax = 1024 * 1024;

/**
 * One MCP session over a wire, presented as streamable HTTP. The answer to a request becomes the answer to its POST;
 * what the server says on the way goes where it belongs: to the request it names, to the only one under way, to the
 * client's GET stream, or into a short backlog until there is one.
 */
export class Conversation {
  readonly #pending = new Map<string, Pending>();
  readonly #backlog = new Backlog();
  readonly #blocked = new Set<PassThrough>();
  #listener: PassThrough | undefined;
  #strays = 0;
  #ended: UpstreamFailed | undefined;
  #wire: Wire | undefined;

  /** `stray` hears of each message that leads nowhere, `hopeless` of a server that sends nothing else. */
  constructor(private readonly tell: { stray: (bytes: number) => void; hopeless: (why: Error) => void }) {}

  attach(wire: Wire): void {
    this.#wire = wire;
  }

  get busy(): boolean {
    return this.#pending.size > 0 || this.#listener !== undefined;
  }

  /** A request of the client; resolves with its answer, or with a stream as soon as there is something else to say. */
  call(rpc: Call, request: UpstreamRequest, modern: boolean): Promise<UpstreamAnswer> {
    if (this.#ended) return Promise.reject(this.#ended);
    const key = JSON.stringify(rpc.id);
    if (this.#pending.has(key)) {
      const message = "A request with this id is under way; use another id.";
      return Promise.resolve(jsonAnswer(400, { id: rpc.id, error: { code: -32600, message } }));
    }
    if (this.#pending.size >= pendingMax) return Promise.reject(tooMany());
    return new Promise((answer, fail) => {
      const leave = (): void => this.#cancel(key, String(request.signal.reason));
      const release = (): void => request.signal.removeEventListener("abort", leave);
      request.signal.addEventListener("abort", leave, { once: true });
      const takesStream = request.headers["accept"]?.includes("text/event-stream") ?? false;
      this.#pending.set(key, { call: rpc, modern, takesStream, answer, fail, release });
      this.#send(request).catch((error: unknown) => this.#settle(key)?.fail(error));
    });
  }

  /** A notification or a response of the client. */
  async say(request: UpstreamRequest): Promise<UpstreamAnswer> {
    if (this.#ended) throw this.#ended;
    await this.#send(request);
    return { status: 202, headers: {}, body: Readable.from([]) };
  }

  /** The client's stream for what the server says by itself. A newer one takes the place of an older one. */
  listen(signal: AbortSignal): UpstreamAnswer {
    if (this.#ended) throw this.#ended;
    this.#listener?.end();
    const stream = this.#stream(signal, () => {
      if (this.#listener === stream) this.#listener = undefined;
    });
    this.#listener = stream;
    for (const bytes of this.#backlog.take()) this.#write(stream, bytes);
    return { status: 200, headers: { "content-type": "text/event-stream" }, body: stream };
  }

  /** A message of the server. */
  received(bytes: Buffer): void {
    const rpc = messageOf(bytes);
    if (rpc?.kind === "response") this.#answer(rpc, bytes);
    else if (rpc) this.#pass(rpc, bytes);
    else this.#stray(bytes);
  }

  /** Fails whatever is under way; nothing can be asked any more. */
  end(why: UpstreamFailed): void {
    if (this.#ended) return;
    this.#ended = why;
    for (const key of this.#pending.keys()) {
      const pending = this.#settle(key);
      if (pending?.stream) pending.stream.destroy(why);
      else pending?.fail(why);
    }
    this.#listener?.end();
  }

  #answer(rpc: Extract<JsonRpcMessage, { kind: "response" }>, bytes: Buffer): void {
    const pending = this.#settle(JSON.stringify(rpc.id));
    if (!pending) this.#stray(bytes);
    else if (pending.stream) pending.stream.end(sseFrame(bytes));
    else {
      const status = pending.modern && isRefusalOfEra(rpc.error) ? statusOf(rpc.error) : 200;
      const headers = { "content-type": "application/json" };
      pending.answer({ status, headers, body: Readable.from([bytes]) });
    }
  }

  #pass(rpc: Exclude<JsonRpcMessage, { kind: "response" }>, bytes: Buffer): void {
    const streams = [...this.#pending.values()].filter(({ takesStream }) => takesStream);
    const calls = streams.map(({ call }) => call);
    const related = relatedRequestKey(rpc, calls);
    const pending =
      streams.find(({ call }) => JSON.stringify(call.id) === related) ??
      (streams.length === 1 || !this.#listener ? streams.at(-1) : undefined);
    if (pending) this.#write(this.#streamOf(pending), bytes);
    else if (this.#listener) this.#write(this.#listener, bytes);
    else this.#backlog.keep(bytes);
  }

  #streamOf(pending: Pending): PassThrough {
    if (pending.stream) return pending.stream;
    const key = JSON.stringify(pending.call.id);
    const stream = this.#stream(undefined, () => {
      if (this.#pending.get(key) === pending) this.#cancel(key, "its reader left");
    });
    pending.stream = stream;
    pending.answer({ status: 200, headers: { "content-type": "text/event-stream" }, body: stream });
    return stream;
  }

  #stream(signal: AbortSignal | undefined, closed: () => void): PassThrough {
    const stream = new PassThrough({ highWaterMark: streamBytesMax });
    const leave = (): void => void stream.destroy(new DOMException("the client left", "AbortError"));
    signal?.addEventListener("abort", leave, { once: true });
    // Whoever reads the stream hears of its error; unread, it must not end the process.
    stream.on("error", () => undefined);
    stream.on("close", () => {
      signal?.removeEventListener("abort", leave);
      this.#unblock(stream);
      closed();
    });
    return stream;
  }

  #write(stream: PassThrough, bytes: Buffer): void {
    if (stream.write(sseFrame(bytes)) || this.#blocked.has(stream)) return;
    this.#blocked.add(stream);
    this.#wire?.pause();
    stream.once("drain", () => this.#unblock(stream));
  }

  #unblock(stream: PassThrough): void {
    if (this.#blocked.delete(stream) && this.#blocked.size === 0) this.#wire?.resume();
  }

  #settle(key: string): Pending | undefined {
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    pending?.release();
    return pending;
  }

  /** The client does not wait any longer: the server is told so, and what it answers later leads nowhere. */
  #cancel(key: string, reason: string): void {
    const pending = this.#settle(key);
    if (!pending) return;
    const error = new DOMException(reason, "AbortError");
    if (pending.stream) pending.stream.destroy(error);
    else pending.fail(error);
    if (pending.call.method === "initialize" || this.#ended) return;
    const params = { requestId: pending.call.id, reason: "the client does not wait any longer" };
    const message = JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params });
    const late = AbortSignal.timeout(cancelMs);
    this.#wire?.send(Buffer.from(message), {}, late).catch(() => undefined);
  }

  async #send({ body, headers, signal }: UpstreamRequest): Promise<void> {
    if (!this.#wire || !body) throw new TypeError("a message needs a wire and a body");
    await this.#wire.send(body, headers, signal);
  }

  #stray(bytes: Buffer): void {
    this.#strays += 1;
    this.tell.stray(bytes.length);
    if (this.#strays === strayMessagesMax) {
      this.tell.hopeless(new Error(`${strayMessagesMax} messages were no MCP or answered nothing`));
    }
  }
}

const cancelMs = 1_000;

const tooMany = (): UpstreamFailed =>
  new UpstreamFailed(
    "upstream_busy",
    "Too many calls of this session are under way; wait for some of them to end.",
    { sent: false },
  );

/** Only looked at, never passed on: the pipeline reads the bytes strictly. */
export function messageOf(bytes: Uint8Array): JsonRpcMessage | undefined {
  try {
    return classify(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    return undefined;
  }
}
