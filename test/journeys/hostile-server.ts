import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server says next, to whatever it is asked: messages before the answer, and the answer without its id. */
export interface Script {
  readonly before?: readonly object[];
  readonly answer: object;
  readonly asStream: boolean;
}

type Message = { readonly id?: unknown; readonly method?: string };

/** An MCP server that says what a test tells it to, card data above all. */
export class HostileServer {
  script: Script = { answer: { result: {} }, asStream: false };
  url = "";
  readonly #server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => this.#answer(request.method ?? "", body, response));
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`;
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(httpMethod: string, body: string, response: ServerResponse): void {
    if (httpMethod !== "POST") {
      response.writeHead(405).end();
      return;
    }
    const { id, method } = JSON.parse(body) as Message;
    if (id === undefined || method === undefined) {
      response.writeHead(202).end();
      return;
    }
    const { before = [], answer, asStream } = method === "initialize" ? initialized : this.script;
    const last = { jsonrpc: "2.0", id, ...answer };
    if (asStream) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end([...before, last].map((message) => `data: ${JSON.stringify(message)}\n\n`).join(""));
    } else {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(last));
    }
  }
}

export const initialized: Script = {
  asStream: false,
  answer: {
    result: {
      protocolVersion: "2025-06-18",
      capabilities: { tools: {}, resources: {}, prompts: {}, logging: {} },
      serverInfo: { name: "hostile", version: "1" },
    },
  },
};

/** The same over standard input and output, as a program: it says on standard error whatever it is asked. */
export const stdioProgram = `
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line);
  process.stderr.write("asked " + line + "\\n");
  if (id === undefined) continue;
  const result = method === "initialize" ? ${JSON.stringify((initialized.answer as { result: object }).result)} : { content: [{ type: "text", text: line }] };
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\\n");
}
`;
