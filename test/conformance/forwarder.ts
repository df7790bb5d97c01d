import { Agent, createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

interface Way {
  readonly target: URL;
  readonly token: string;
}

/**
 * Stands where a client's login would be: passes every byte on as it is, with the token of a granted session. The suite
 * cannot log in, and what it measures is what comes after.
 */
export class Forwarder {
  readonly #ways = new Map<string, Way>();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((received, reply) => this.#forward(received, reply));
  origin = "";

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.origin = `http://localhost:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#agent.destroy();
  }

  /** A URL that leads to the target without a login. */
  add(target: string, token: string): string {
    const path = `/${this.#ways.size + 1}/mcp`;
    this.#ways.set(path, { target: new URL(target), token });
    return this.origin + path;
  }

  #forward(received: IncomingMessage, reply: ServerResponse): void {
    const way = this.#ways.get(received.url ?? "");
    if (!way) {
      reply.writeHead(404).end();
      return;
    }
    const { hostname, port, pathname: path } = way.target;
    const headers = [...received.rawHeaders, "authorization", `Bearer ${way.token}`];
    const forwarded = send({
      hostname,
      port,
      path,
      method: received.method ?? "GET",
      headers,
      agent: this.#agent,
    });
    forwarded.on("response", (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      reply.flushHeaders();
      pipeline(answer, reply, () => undefined);
    });
    forwarded.on("error", () => reply.destroy());
    reply.on("close", () => forwarded.destroy());
    received.pipe(forwarded);
  }
}
