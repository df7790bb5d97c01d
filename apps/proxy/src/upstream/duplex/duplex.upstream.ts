import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import type { Logger } from "@countersign/service-kit";
import { eraOf } from "../../exchange.js";
import type { Upstream, UpstreamAnswer, UpstreamRequest } from "../upstream.js";
import { UpstreamFailed } from "../upstream-failed.js";
import { Conversation, messageOf } from "./conversation.js";
import { jsonAnswer } from "./http-shapes.js";
import type { OpenWire, Wire } from "./wire.js";

/** A client that keeps opening MCP sessions in one Countersign session loses the ones it does not use. */
export const perSessionMax = 4;

interface Entry {
  readonly key: string;
  readonly sessionId: string;
  readonly conversation: Conversation;
  readonly opening: AbortController;
  opened: Promise<Wire>;
  usedAt: number;
  end: (why: string) => void;
}

/**
 * Presents a server that speaks over one wire per MCP session (a program's standard streams, or HTTP+SSE of 2024-11-05)
 * as streamable HTTP. It issues the `Mcp-Session-Id`s; each wire belongs to the Countersign session it was opened in and
 * ends with it, after a time without use, or with a DELETE. Requests of the era without MCP sessions share one wire per
 * Countersign session.
 */
export class DuplexUpstream implements Upstream {
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();

  constructor(
    private readonly options: {
      readonly endpoint: string;
      readonly open: OpenWire;
      readonly wiresMax: number;
      readonly idleMs: number;
      readonly log: Logger;
      readonly stray: () => void;
    },
  ) {}

  /** Wires that are open, opening or not quite gone. */
  get wires(): number {
    return this.#entries.size + this.#closing.size;
  }

  async send(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const rpc = request.body === undefined ? undefined : messageOf(request.body);
    const given = request.headers["mcp-session-id"];
    const starts = rpc?.kind === "request" && rpc.method === "initialize" && given === undefined;
    const post = request.httpMethod === "POST";
    const stateless = post && given === undefined && !starts && eraOf(request.headers) === "modern";
    if (post && rpc === undefined) return badRequest("This server takes one JSON-RPC message a request.");
    if (given === undefined && !starts && !stateless) {
      return badRequest("This server has sessions: send initialize first, then its Mcp-Session-Id.");
    }
    const key = given ?? (starts ? newKey() : `stateless:${request.session.id}`);
    const known = this.#entries.get(key);
    if (given !== undefined && known?.sessionId !== request.session.id) return sessionGone();
    if (request.httpMethod === "DELETE") {
      known?.end("its client ended it");
      return { status: 200, headers: {}, body: Readable.from([]) };
    }
    const entry = known ?? this.#open(key, request);
    entry.usedAt = performance.now();
    entry.conversation.attach(await entry.opened);
    if (request.httpMethod === "GET") return entry.conversation.listen(request.signal);
    if (rpc?.kind !== "request") return entry.conversation.say(request);
    const answer = await entry.conversation.call(rpc, request, stateless);
    if (starts) return { ...answer, headers: { ...answer.headers, "mcp-session-id": key } };
    // A server of the older era has no use for a wire without a session; its client now tries `initialize`.
    if (stateless && rpc.method === "server/discover" && answer.status !== 200)
      entry.end("it is of an older era");
    return answer;
  }

  async close(): Promise<void> {
    for (const { end } of this.#entries.values()) end("the gateway is stopping");
    await Promise.allSettled(this.#closing);
  }

  #open(key: string, { headers, session, signal, logged }: UpstreamRequest): Entry {
    if (session.ended.aborted) throw ended("its session ended");
    this.#makeRoom(session.id);
    const { endpoint, log, idleMs, stray } = this.options;
    const opening = new AbortController();
    const sessionId = session.id;
    const conversation = new Conversation({
      stray: (bytes) => {
        stray();
        log.warn({ endpoint, sessionId, bytes, code: "upstream_stray" }, "an upstream's message was dropped");
      },
      hopeless: (why) => entry.end(why.message),
    });
    const idle = setInterval(
      () => {
        if (!conversation.busy && performance.now() - entry.usedAt >= idleMs) entry.end("it was idle");
      },
      Math.min(idleMs, idleCheckMs),
    ).unref();
    const over = (): void => entry.end("its session ended");
    session.ended.addEventListener("abort", over, { once: true });
    const opened = this.options.open(
      {
        message: (bytes) => conversation.received(bytes),
        logged: (text) => logged?.(text),
        closed: (why) => {
          log.warn({ endpoint, sessionId, error: why, code: "upstream_broke_off" }, "an upstream ended");
          entry.conversation.end(brokeOff());
          entry.end("it broke off");
        },
      },
      headers,
      AbortSignal.any([opening.signal, signal]),
    );
    const entry: Entry = {
      key,
      sessionId,
      conversation,
      opening,
      opened,
      usedAt: performance.now(),
      end: (why) => {
        if (this.#entries.get(key) !== entry) return;
        this.#entries.delete(key);
        clearInterval(idle);
        session.ended.removeEventListener("abort", over);
        opening.abort(why);
        conversation.end(ended(why));
        log.info({ endpoint, sessionId, reason: why }, "an upstream's session ended");
        const closing = opened
          .then((wire) => wire.close())
          .catch((error: unknown) => log.debug({ endpoint, error }, "an upstream's session had not begun"))
          .finally(() => this.#closing.delete(closing));
        this.#closing.add(closing);
      },
    };
    this.#entries.set(key, entry);
    opened.catch(() => entry.end("it could not be opened"));
    return entry;
  }

  #makeRoom(sessionId: string): void {
    const own = [...this.#entries.values()].filter((entry) => entry.sessionId === sessionId);
    if (own.length >= perSessionMax) {
      const [unused] = own
        .filter(({ conversation }) => !conversation.busy)
        .toSorted((a, b) => a.usedAt - b.usedAt);
      if (!unused) throw busy("This session already runs as many MCP sessions as it may; end one of them.");
      unused.end("its client opened others");
    }
    if (this.wires >= this.options.wiresMax) {
      throw busy("As many sessions of this MCP server are open as may be; try again later.");
    }
  }
}

const idleCheckMs = 10_000;

const newKey = (): string => randomBytes(18).toString("base64url");

const ended = (why: string): UpstreamFailed =>
  new UpstreamFailed(
    "upstream_session_over",
    `The upstream's session is over because ${why}; start a new one. Whether a call under way had an effect is not known.`,
    { sent: true },
  );

const brokeOff = (): UpstreamFailed =>
  new UpstreamFailed(
    "upstream_broke_off",
    "The upstream MCP server broke off before it answered; whether the call had an effect is not known.",
    { sent: true },
  );

const busy = (message: string): UpstreamFailed =>
  new UpstreamFailed("upstream_busy", message, { sent: false });

const badRequest = (message: string): UpstreamAnswer =>
  jsonAnswer(400, { id: null, error: { code: -32600, message } });

const sessionGone = (): UpstreamAnswer =>
  jsonAnswer(404, {
    id: null,
    error: { code: -32001, message: "This MCP session is gone; start a new one." },
  });
