/**
 * An MCP server that answers from memory, so that whatever stands before it is what is measured. It speaks the legacy
 * era as far as a client needs to call one tool. `node test/bench/fixture-server.ts PORT`
 */
import { createServer } from "node:http";
import { answerTo, type Rpc } from "./fixture-answers.ts";

const server = createServer((request, response) => {
  if (request.method !== "POST") {
    response.writeHead(405).end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const messages = answerTo(JSON.parse(Buffer.concat(chunks).toString()) as Rpc);
    if (messages.length === 0) response.writeHead(202).end();
    else if (messages.length === 1) {
      response.writeHead(200, { "content-type": "application/json" }).end(messages[0]);
    } else {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const message of messages) response.write(`event: message\ndata: ${message}\n\n`);
      response.end();
    }
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.stdout.write("ready\n"));
