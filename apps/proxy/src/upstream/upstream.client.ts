import type { IncomingHttpHeaders } from "node:http";
import { Agent, type Dispatcher, request } from "undici";
import type { Endpoint } from "@countersign/contracts";

const connectionsMax = 256;
const connectMs = 5_000;

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Dispatcher.ResponseData["body"];
}

/** The connections to upstream MCP servers. Nothing is retried: only the protocol knows what is safe to repeat. */
export class UpstreamClient {
  readonly #agent = new Agent({
    connections: connectionsMax,
    connect: { timeout: connectMs },
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async send(
    upstream: Endpoint["upstream"],
    options: {
      httpMethod: "POST" | "GET" | "DELETE";
      headers: Record<string, string>;
      body?: Uint8Array;
      signal: AbortSignal;
    },
  ): Promise<UpstreamAnswer> {
    const answer = await request(upstream.url, {
      method: options.httpMethod,
      headers: options.headers,
      body: options.body ?? null,
      signal: options.signal,
      dispatcher: this.#agent,
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
