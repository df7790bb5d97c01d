import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";

export const keepAliveMs = 120_000;

/**
 * A load balancer without affinity: each request goes to the next server, as a stream in both directions. One that does
 * not take connections is passed over; once a connection stands, nothing is tried again.
 */
export class RoundRobin {
  readonly #server = createServer((incoming, outgoing) =>
    this.#attempt(incoming, outgoing, this.#turn++, this.ports.length),
  );
  /** How many requests each port got. */
  readonly taken = new Map<number, number>();
  #turn = 0;

  constructor(private readonly ports: readonly number[]) {}

  async listen(port: number): Promise<this> {
    // A connection that is closed for idleness while a request is on its way would look like a failed proxy.
    this.#server.keepAliveTimeout = keepAliveMs;
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  close(): void {
    this.#server.close().closeAllConnections();
  }

  #attempt(incoming: IncomingMessage, outgoing: ServerResponse, turn: number, left: number): void {
    const port = this.ports[turn % this.ports.length] ?? 0;
    if (left === 0) return void outgoing.writeHead(503).end();
    const onward: ClientRequest = request({
      host: "127.0.0.1",
      port,
      path: incoming.url,
      method: incoming.method,
      headers: incoming.headers,
      agent: false,
    });
    let connected = false;
    onward.once("socket", (socket) =>
      socket.once("connect", () => {
        connected = true;
        this.taken.set(port, (this.taken.get(port) ?? 0) + 1);
        incoming.pipe(onward);
      }),
    );
    onward.once("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      answer.once("error", () => outgoing.destroy());
    });
    onward.once("error", () => {
      if (connected) outgoing.destroy();
      else this.#attempt(incoming, outgoing, turn + 1, left - 1);
    });
    outgoing.once("close", () => onward.destroy());
  }
}
