import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listen } from "./listen.fixture.js";

/** A server that answers as a test tells it to, and keeps what it received. */
export class FakeUpstream {
  readonly received: { method: string; headers: IncomingMessage["headers"]; body: string }[] = [];
  respond: (body: string, response: ServerResponse, request: IncomingMessage) => void = (_, response) => {
    response.writeHead(202).end();
  };
  readonly #server: Server;
  url = "";

  constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (part: string) => (body += part));
      request.on("end", () => {
        this.received.push({ method: request.method ?? "", headers: request.headers, body });
        this.respond(body, response, request);
      });
    });
  }

  async start(): Promise<this> {
    this.url = `http://127.0.0.1:${await listen(this.#server)}/mcp`;
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
